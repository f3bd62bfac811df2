import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '#engine';
import { SmallLake, type Fields, type ResultRow } from '../testing/small-lake.js';

const AS_OF = '2025-06-15';
let workDir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'silver-'));
  engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
});
afterAll(async () => {
  await engine.close();
  await rm(workDir, { recursive: true, force: true });
});

/** One load of records that differ from a good one. */
async function silver(table: string, base: Fields, ...differences: readonly Fields[]): Promise<SmallLake> {
  const lake = new SmallLake(engine, AS_OF).load(
    table,
    differences.map((difference) => ({ ...base, ...difference })),
  );
  await lake.compute(`silver/${table}`);
  return lake;
}

async function rejects(table: string): Promise<readonly unknown[]> {
  return (await engine.query(`SELECT rules FROM quarantine.${table} ORDER BY load, row`)).map((row) => row['rules']);
}

async function columns(lake: SmallLake, table: string, ...names: readonly string[]): Promise<readonly ResultRow[]> {
  return (await lake.rows(`silver/${table}`, '_batch_id, _source_row')).map((row) =>
    Object.fromEntries(names.map((name) => [name, row[name]])),
  );
}

describe('silver/orders', () => {
  const order: Fields = {
    order_id: 'o1',
    customer_id: 'c1',
    order_date: '2025-06-14 23:30:00',
    order_status: 'delivered',
    total_amount: '100.00',
    discount_amount: '10.00',
    shipping_amount: '5.00',
    payment_method: ' Credit_Card ',
    channel: 'WEB',
    created_at: '2025-06-14T23:30:00Z',
    updated_at: '2025-06-14 23:30:00',
  };

  it('cleans and derives', async () => {
    const lake = await silver('orders', order, { order_id: '\t o1\u00a0', order_status: ' cancelled\r\n' });
    expect((await lake.rows('silver/orders'))[0]).toMatchObject({
      order_id: 'o1',
      order_status: 'CANCELLED',
      payment_method: 'credit_card',
      channel: 'web',
      net_amount: '90.00',
      gross_with_shipping: '105.00',
      discount_pct: '10.00',
      has_discount: true,
      has_free_shipping: false,
      order_year: 2025,
      order_month: 6,
      order_day: 14,
      order_hour: 23,
      order_day_of_week: 7,
      day_name: 'Saturday',
      is_weekend: true,
      is_cancelled: true,
      is_returned: false,
    });
  });

  it('takes missing discount and shipping as 0, and keeps a zero total', async () => {
    const lake = await silver('orders', order, { discount_amount: ' ', shipping_amount: null, total_amount: '0' });
    expect((await lake.rows('silver/orders'))[0]).toMatchObject({
      discount_amount: '0.00',
      shipping_amount: '0.00',
      discount_pct: '0.00',
      has_discount: false,
      has_free_shipping: true,
    });
  });

  it('rounds half away from zero', async () => {
    const lake = await silver(
      'orders',
      order,
      { total_amount: '8', discount_amount: '0.005' },
      { order_id: 'o2', total_amount: '1.005' },
    );
    expect(await columns(lake, 'orders', 'discount_amount', 'discount_pct', 'total_amount')).toEqual([
      { discount_amount: '0.01', discount_pct: '0.13', total_amount: '8.00' },
      { discount_amount: '10.00', discount_pct: '990.10', total_amount: '1.01' },
    ]);
  });

  it('takes the day of an offset timestamp in UTC', async () => {
    const lake = await silver('orders', order, { order_date: '2025-12-31T23:30:00-02:00' });
    expect(await columns(lake, 'orders', 'order_year', 'order_day', 'order_hour')).toEqual([
      { order_year: 2026, order_day: 1, order_hour: 1 },
    ]);
  });

  it('rejects with every rule that is broken, and calls an unreadable field unreadable, not missing', async () => {
    await silver(
      'orders',
      order,
      { order_status: '  ' },
      { order_id: '', customer_id: null, order_date: '', total_amount: '-0.01' },
      { total_amount: '1,000.00', order_date: '2025-02-30' },
      { total_amount: '', updated_at: 'yesterday' },
      { total_amount: '9999999999999999.99', shipping_amount: '0.01' },
      { total_amount: '0.01', discount_amount: '9999999999999999.99' },
      { _raw: 'a,b' },
    );
    expect(await rejects('orders')).toEqual([
      ['required_order_status'],
      ['required_order_id', 'required_customer_id', 'required_order_date', 'negative_total_amount'],
      ['cast_order_date', 'cast_total_amount'],
      ['cast_updated_at', 'required_total_amount'],
      ['overflow'],
      ['overflow'],
      ['malformed'],
    ]);
  });

  it('lets the latest valid updated_at win, then the latest loaded, then the last in its file', async () => {
    const at = (total: string, updated: string | null, id = 'o1'): Fields => ({
      ...order,
      order_id: id,
      total_amount: total,
      updated_at: updated,
    });
    const lake = new SmallLake(engine, AS_OF)
      .load('orders', [
        at('1', '2025-06-03'),
        at('2', '2025-06-02'),
        at('3', null),
        at('10', null, 'o2'),
        at('11', null, 'o2'),
      ])
      .load('orders', [at('4', '2025-06-03'), at('-5', '2025-06-09'), at('6', null), at('12', null, 'o2')]);
    await lake.compute('silver/orders');
    expect(await columns(lake, 'orders', 'order_id', 'total_amount')).toEqual([
      { order_id: 'o1', total_amount: '4.00' },
      { order_id: 'o2', total_amount: '12.00' },
    ]);
  });
});

describe('silver/order_items', () => {
  const item: Fields = {
    item_id: 'i1',
    order_id: 'o1',
    product_id: 'p1',
    quantity: '3',
    unit_price: '9.99',
    discount_percent: '15',
    item_status: ' Shipped',
    created_at: '2025-06-01',
  };

  it('rounds each amount on its own', async () => {
    const lake = await silver(
      'order_items',
      item,
      {},
      { item_id: 'i2', quantity: '1', unit_price: '0.05', discount_percent: '50' },
      { item_id: 'i3', discount_percent: null },
    );
    expect(
      await columns(
        lake,
        'order_items',
        'line_total',
        'discount_amount',
        'net_line_total',
        'has_discount',
        'item_status',
      ),
    ).toEqual([
      // 29.97 · 0.15 = 4.4955, 29.97 · 0.85 = 25.4745
      {
        line_total: '29.97',
        discount_amount: '4.50',
        net_line_total: '25.47',
        has_discount: true,
        item_status: 'shipped',
      },
      // 0.025 twice: both round up, and need not add up
      {
        line_total: '0.05',
        discount_amount: '0.03',
        net_line_total: '0.03',
        has_discount: true,
        item_status: 'shipped',
      },
      {
        line_total: '29.97',
        discount_amount: '0.00',
        net_line_total: '29.97',
        has_discount: false,
        item_status: 'shipped',
      },
    ]);
  });

  it('takes discounts of 0 and 100 and rejects what lies outside', async () => {
    const lake = await silver(
      'order_items',
      item,
      { discount_percent: '0' },
      { item_id: 'i2', discount_percent: '100' },
      { discount_percent: '-0.01' },
      { discount_percent: '100.01' },
    );
    expect(await columns(lake, 'order_items', 'net_line_total')).toEqual([
      { net_line_total: '29.97' },
      { net_line_total: '0.00' },
    ]);
    expect(await rejects('order_items')).toEqual([
      ['discount_percent_out_of_range'],
      ['discount_percent_out_of_range'],
    ]);
  });

  it('rejects quantities and prices that are missing, unreadable, not positive or too large together', async () => {
    await silver(
      'order_items',
      item,
      { quantity: '0' },
      { quantity: '2.5' },
      { quantity: '', unit_price: '0.004' },
      { quantity: '2147483647', unit_price: '9999999999999999.99' },
      { item_id: null, order_id: ' ', product_id: '' },
    );
    expect(await rejects('order_items')).toEqual([
      ['quantity_not_positive'],
      ['cast_quantity'],
      ['required_quantity', 'unit_price_not_positive'],
      ['overflow'],
      ['required_item_id', 'required_order_id', 'required_product_id'],
    ]);
  });

  it('reads a whole number with a fraction of zeros', async () => {
    expect(await columns(await silver('order_items', item, { quantity: '3.0' }), 'order_items', 'quantity')).toEqual([
      { quantity: 3 },
    ]);
  });
});

describe('silver/customers', () => {
  const customer: Fields = {
    customer_id: 'c1',
    first_name: 'Ada',
    last_name: 'Lovelace',
    email: ' Ada.Lovelace@Example.COM ',
    phone: '+1 (555) 010-4477',
    date_of_birth: '1990-01-01',
    gender: 'F',
    registration_date: '2024-01-01',
    loyalty_tier: ' gOLD plus ',
    address: '{"street":"1 Main St","city":"Oslo","state":"","zip":12345,"country":"NO"}',
    preferences: '{"categories":["books","toys"],"communication":[]}',
  };

  it('hashes, masks and flattens', async () => {
    const lake = await silver('customers', customer, {});
    const [row] = await lake.rows('silver/customers');
    expect(row).toMatchObject({
      email_hash: 'e814ff3dc480a94c7ce9334062ec4733c75a002f4bcec0197f62ffea64059e2f',
      email_domain: 'example.com',
      has_email: true,
      phone_masked: '***-***-4477',
      first_name_initial: 'A',
      last_name_initial: 'L',
      gender: 'Female',
      loyalty_tier: 'Gold Plus',
      address_street: '1 Main St',
      address_state: null,
      address_zip: '12345',
      pref_categories: 'books,toys',
      pref_communication: null,
    });
    expect(JSON.stringify(row)).not.toMatch(/ada.lovelace|010-4477/i);
  });

  it('keeps customers without e-mail address, phone, address and preferences', async () => {
    const nothing = {
      email: ' ',
      phone: 'none',
      address: null,
      preferences: '[]',
      gender: null,
      date_of_birth: '',
      registration_date: '',
      loyalty_tier: '\t',
    };
    const lake = await silver('customers', customer, nothing);
    expect((await lake.rows('silver/customers'))[0]).toMatchObject({
      email_hash: null,
      email_domain: null,
      has_email: false,
      phone_masked: null,
      gender: 'Other',
      age: null,
      age_group: null,
      customer_tenure_days: null,
      tenure_category: null,
      loyalty_tier: null,
      address_city: null,
      pref_categories: null,
    });
  });

  it('takes the domain behind the last @, and none without one', async () => {
    const lake = await silver('customers', customer, { email: '"a@b"@c.ORG' }, { customer_id: 'c2', email: 'nobody' });
    expect(await columns(lake, 'customers', 'email_domain', 'has_email')).toEqual([
      { email_domain: 'c.org', has_email: true },
      { email_domain: null, has_email: true },
    ]);
  });

  it('knows four spellings of gender', async () => {
    const spellings = ['m', 'MALE', ' f ', 'Female', 'x', ''];
    const lake = await silver(
      'customers',
      customer,
      ...spellings.map((gender, n) => ({ customer_id: `c${n}`, gender })),
    );
    expect((await columns(lake, 'customers', 'gender')).map((row) => row['gender'])).toEqual([
      'Male',
      'Male',
      'Female',
      'Female',
      'Other',
      'Other',
    ]);
  });

  it.each([
    // years have 365.25 days, so a birthday may be a day late
    ['2000-06-15', 24, '18-24'],
    ['2000-06-14', 25, '25-34'],
    ['1990-06-16', 34, '25-34'],
    ['1990-06-15', 35, '35-44'],
    ['1980-06-14', 45, '45-54'],
    ['1970-06-15', 55, '55-64'],
    ['1960-06-15', 64, '55-64'],
    ['1960-06-14', 65, '65+'],
    [AS_OF, 0, '18-24'],
  ])('gives who was born on %s the age %i', async (date_of_birth, age, age_group) => {
    expect(
      await columns(await silver('customers', customer, { date_of_birth }), 'customers', 'age', 'age_group'),
    ).toEqual([{ age, age_group }]);
  });

  it.each([
    ['2025-06-16', -1, 'New (< 3 months)'],
    ['2025-03-18', 89, 'New (< 3 months)'],
    ['2025-03-17', 90, 'Growing (3-12 months)'],
    ['2024-06-16', 364, 'Growing (3-12 months)'],
    ['2024-06-15', 365, 'Established (1-2 years)'],
    ['2023-06-17', 729, 'Established (1-2 years)'],
    ['2023-06-16', 730, 'Loyal (2+ years)'],
  ])('calls who registered on %s (%i days) %s', async (registration_date, customer_tenure_days, tenure_category) => {
    const lake = await silver('customers', customer, { registration_date });
    expect(await columns(lake, 'customers', 'customer_tenure_days', 'tenure_category')).toEqual([
      { customer_tenure_days, tenure_category },
    ]);
  });

  it('rejects the unborn, the nameless key and an address that is no object', async () => {
    await silver(
      'customers',
      customer,
      { date_of_birth: '2025-06-16' },
      { customer_id: '\u00a0' },
      { address: '{oops' },
      { address: '1 Main St' },
      { date_of_birth: '01/02/1990' },
    );
    expect(await rejects('customers')).toEqual([
      ['born_in_future'],
      ['required_customer_id'],
      ['cast_address'],
      ['cast_address'],
      ['cast_date_of_birth'],
    ]);
  });
});

describe('silver/products', () => {
  const product: Fields = {
    product_id: 'p1',
    product_name: '  Desk  lamp ',
    category: 'HOME  decor',
    sub_category: 'lamps',
    brand: "o'neil co",
    price: '49.99',
    cost_price: '30',
    weight_kg: '1.2345',
    supplier_id: 's1',
    rating: '4.5',
    review_count: '7',
    is_active: 'true',
    attributes: '{"color":["red","blue"],"battery_life":"8h","connectivity":""}',
    created_at: '2025-06-01T10:00:00Z',
    updated_at: '2025-06-02',
  };

  it('flattens and derives', async () => {
    expect((await (await silver('products', product, {})).rows('silver/products'))[0]).toMatchObject({
      product_name: '  Desk  lamp ',
      category: 'Home  Decor',
      sub_category: 'Lamps',
      brand: "O'neil Co",
      weight_kg: '1.235',
      profit_margin: '19.99',
      margin_pct: '39.99',
      attr_colors: 'red,blue',
      attr_battery_life: '8h',
      attr_connectivity: null,
      is_active: true,
      product_age_days: 14,
      rating_category: 'Excellent',
    });
  });

  it.each([
    ['49.99', 'Budget'],
    ['49.995', 'Mid-Range'],
    ['199.99', 'Mid-Range'],
    ['200', 'Premium'],
    ['499.99', 'Premium'],
    ['500', 'Luxury'],
  ])('puts the price %s into the tier %s', async (price, price_tier) => {
    expect(await columns(await silver('products', product, { price }), 'products', 'price_tier')).toEqual([
      { price_tier },
    ]);
  });

  it.each([
    ['4.5', 'Excellent'],
    ['4.49', 'Very Good'],
    ['4', 'Very Good'],
    ['3.99', 'Good'],
    ['3', 'Good'],
    ['2.99', 'Average'],
    ['2', 'Average'],
    ['1.99', 'Poor'],
    ['', null],
  ])('calls the rating %s %s', async (rating, rating_category) => {
    expect(await columns(await silver('products', product, { rating }), 'products', 'rating_category')).toEqual([
      { rating_category },
    ]);
  });

  it('rejects a price that is missing, not positive, or so small that the margin has no percentage', async () => {
    await silver(
      'products',
      product,
      { price: '' },
      { price: '0' },
      { price: 'free' },
      { price: '0.01', cost_price: '9999999.99' },
    );
    expect(await rejects('products')).toEqual([
      ['required_price'],
      ['price_not_positive'],
      ['cast_price'],
      ['overflow'],
    ]);
  });
});

describe('silver/inventory', () => {
  const stock: Fields = {
    product_id: 'p1',
    warehouse_id: 'w1',
    quantity_on_hand: '10',
    quantity_reserved: '0',
    reorder_point: '5',
    reorder_quantity: '20',
    last_restock_date: '2025-06-01',
    snapshot_date: '2025-06-15',
  };

  it.each([
    ['-3', '0', '5', 0, 0, true, 'Out of Stock', true],
    ['7', '9', '5', 7, 0, false, 'Out of Stock', false],
    ['5', '', '5', 5, 5, false, 'Low Stock', true],
    ['6', '', '5', 6, 6, false, 'Medium Stock', false],
    ['10', '', '5', 10, 10, false, 'Medium Stock', false],
    ['11', '', '5', 11, 11, false, 'In Stock', false],
    ['11', '6', '5', 11, 5, false, 'Low Stock', false],
    ['', '2', '5', null, null, false, null, false],
    ['4', '', '', 4, 4, false, null, false],
  ])(
    'with %s on hand, %s reserved and reorder point %s',
    async (on, reserved, point, onHand, available, negative, status, reorder) => {
      const lake = await silver('inventory', stock, {
        quantity_on_hand: on,
        quantity_reserved: reserved,
        reorder_point: point,
      });
      expect((await lake.rows('silver/inventory'))[0]).toMatchObject({
        quantity_on_hand: onHand,
        quantity_available: available,
        had_negative_stock: negative,
        stock_status: status,
        needs_reorder: reorder,
        days_since_restock: 14,
        stock_value: null,
      });
    },
  );

  it('values stock at the cost price of a known product', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('products', [
        { product_id: 'p1', price: '5', cost_price: '2.50' },
        { product_id: 'p3', price: '5' },
      ])
      .load(
        'inventory',
        ['p1', 'p2', 'p3'].map((product_id) => ({ ...stock, product_id })),
      );
    await lake.compute('silver/inventory');
    expect(await columns(lake, 'inventory', 'product_id', 'stock_value')).toEqual([
      { product_id: 'p1', stock_value: '25.00' },
      { product_id: 'p2', stock_value: null },
      { product_id: 'p3', stock_value: null },
    ]);
  });

  it('rejects stock without product, warehouse or day, and what no INTEGER holds', async () => {
    await silver(
      'inventory',
      stock,
      { product_id: '', warehouse_id: ' ', snapshot_date: null },
      { quantity_on_hand: '2147483647', quantity_reserved: '-1' },
      { quantity_on_hand: '2147483648' },
    );
    expect(await rejects('inventory')).toEqual([
      ['required_product_id', 'required_warehouse_id', 'required_snapshot_date'],
      ['overflow'],
      ['cast_quantity_on_hand'],
    ]);
  });
});

describe('silver/payments', () => {
  const payment: Fields = {
    transaction_id: 't1',
    order_id: 'o1',
    payment_method: 'Card',
    card_type: 'VISA',
    amount: '2000',
    currency: 'eur',
    status: ' Captured ',
    is_international: 'false',
    transaction_timestamp: '2025-06-15T12:00:00Z',
    risk_score: '69',
  };

  it.each([
    ['success', 'SUCCESS'],
    ['Succeeded', 'SUCCESS'],
    ['completed', 'SUCCESS'],
    ['captured', 'SUCCESS'],
    ['approved', 'SUCCESS'],
    ['failed', 'FAILED'],
    ['failure', 'FAILED'],
    ['declined', 'FAILED'],
    ['denied', 'FAILED'],
    ['REJECTED', 'FAILED'],
    ['pending', 'PENDING'],
    ['processing', 'PENDING'],
    ['initiated', 'PENDING'],
    ['refunded', 'REFUNDED'],
    ['reversed', 'REFUNDED'],
    ['voided', 'REFUNDED'],
    ['Charge back', 'CHARGE BACK'],
    ['', null],
  ])('reads the status %s as %s', async (given, status) => {
    const lake = await silver('payments', payment, { status: given });
    expect(await columns(lake, 'payments', 'status', 'status_original')).toEqual([
      { status, status_original: given.toLowerCase() || null },
    ]);
  });

  it.each([
    ['80', 'CRITICAL'],
    ['79', 'HIGH'],
    ['60', 'HIGH'],
    ['59', 'MEDIUM'],
    ['40', 'MEDIUM'],
    ['39', 'LOW'],
    ['20', 'LOW'],
    ['19', 'VERY_LOW'],
    ['', null],
  ])('gives risk score %s the level %s', async (risk_score, risk_level) => {
    expect(await columns(await silver('payments', payment, { risk_score }), 'payments', 'risk_level')).toEqual([
      { risk_level },
    ]);
  });

  it('counts fraud signals at their borders', async () => {
    const at = (hour: string) => ({ transaction_timestamp: `2025-06-15T${hour}Z` });
    const lake = await silver(
      'payments',
      payment,
      { transaction_id: 't1' },
      { transaction_id: 't2', risk_score: '70' },
      { transaction_id: 't3', amount: '2000.01', ...at('22:59:59') },
      { transaction_id: 't4', ...at('23:00') },
      { transaction_id: 't5', ...at('05:59:59'), is_international: 'yes' },
      { transaction_id: 't6', ...at('06:00'), is_international: null, risk_score: null, currency: null },
      { transaction_id: 't7', ...at('00:00'), is_international: '1', risk_score: '99', amount: '9999' },
    );
    const rows = await columns(
      lake,
      'payments',
      'is_high_risk',
      'is_high_amount',
      'is_off_hours',
      'is_international',
      'fraud_signal_count',
      'fraud_risk_label',
    );
    expect(rows.map((row) => Object.values(row))).toEqual([
      [false, false, false, false, 0, 'LOW'],
      [true, false, false, false, 1, 'MEDIUM'],
      [false, true, false, false, 1, 'MEDIUM'],
      [false, false, true, false, 1, 'MEDIUM'],
      [false, false, true, true, 2, 'HIGH'],
      [false, false, false, false, 0, 'LOW'],
      [true, true, true, true, 4, 'CRITICAL'],
    ]);
    expect((await columns(lake, 'payments', 'currency')).map((row) => row['currency'])).toEqual([
      'EUR',
      'EUR',
      'EUR',
      'EUR',
      'EUR',
      'USD',
      'EUR',
    ]);
  });

  it('rejects what has no id, order, amount or time', async () => {
    await silver(
      'payments',
      payment,
      { transaction_id: '', order_id: '', amount: '', transaction_timestamp: '' },
      { amount: '0.004' },
      { is_international: 'perhaps' },
    );
    expect(await rejects('payments')).toEqual([
      ['required_transaction_id', 'required_order_id', 'required_amount', 'required_transaction_timestamp'],
      ['amount_not_positive'],
      ['cast_is_international'],
    ]);
  });
});

describe('silver/clickstream and sessions', () => {
  const event: Fields = {
    event_id: 'e1',
    session_id: 's1',
    customer_id: 'c1',
    event_type: ' Page_View',
    event_timestamp: '2025-06-15T10:00:00Z',
    page_url: '/Home',
    device_type: 'Mobile',
    browser: 'SAFARI',
    os: 'iOS',
    geo_location: '{"city":"Oslo","country":"NO"}',
    referrer: 'Google',
    search_query: ' Red SHOES ',
  };

  it('cleans and derives', async () => {
    expect((await (await silver('clickstream', event, {})).rows('silver/clickstream'))[0]).toMatchObject({
      event_type: 'page_view',
      device_type: 'mobile',
      browser: 'Safari',
      os: 'Ios',
      referrer: 'google',
      search_query: 'red shoes',
      page_url: '/Home',
      geo_city: 'Oslo',
      geo_country: 'NO',
      event_hour: 10,
      event_day_of_week: 1,
      day_name: 'Sunday',
      is_weekend: true,
      is_anonymous: false,
      is_purchase_intent: false,
      funnel_stage: '1-Awareness',
      data_source: 'batch',
    });
  });

  it('keeps the first valid record of an event', async () => {
    const lake = new SmallLake(engine, AS_OF)
      .load('clickstream', [
        { ...event, session_id: '' },
        { ...event, session_id: 's2' },
        { ...event, session_id: 's3' },
      ])
      .load('clickstream', [{ ...event, session_id: 's4' }]);
    await lake.compute('silver/clickstream');
    expect(await columns(lake, 'clickstream', 'session_id')).toEqual([{ session_id: 's2' }]);
  });

  it.each([
    ['page_view', '1-Awareness', false],
    ['product_view', '2-Interest', false],
    ['add_to_cart', '3-Consideration', true],
    ['search', '3-Consideration', false],
    ['remove_from_cart', '3-Consideration', false],
    ['CHECKOUT', '4-Purchase', true],
    ['login', 'Other', false],
  ])('puts %s into the stage %s', async (event_type, funnel_stage, is_purchase_intent) => {
    expect(
      await columns(
        await silver('clickstream', event, { event_type }),
        'clickstream',
        'funnel_stage',
        'is_purchase_intent',
      ),
    ).toEqual([{ funnel_stage, is_purchase_intent }]);
  });

  it('takes events up to the day after as_of, or after they were enqueued', async () => {
    await silver(
      'clickstream',
      event,
      { event_timestamp: '2025-06-16T23:59:59Z' },
      { event_id: 'e2', event_timestamp: '2025-06-17' },
      { event_id: '', session_id: '', event_type: '', event_timestamp: '' },
    );
    expect(await rejects('clickstream')).toEqual([
      ['event_in_future'],
      ['required_event_id', 'required_session_id', 'required_event_type', 'required_event_timestamp'],
    ]);
    const enqueued = { _enqueued_at: '2025-01-10 23:59:00+00' };
    const lake = await silver(
      'streaming_clickstream',
      { ...event, ...enqueued },
      { event_timestamp: '2025-01-11T23:00Z', scroll_depth_pct: '33.335' },
      { event_id: 'e2', event_timestamp: '2025-01-12' },
    );
    expect(await rejects('streaming_clickstream')).toEqual([['event_in_future']]);
    expect(await columns(lake, 'streaming_clickstream', 'data_source', 'scroll_depth_pct')).toEqual([
      { data_source: 'streaming', scroll_depth_pct: '33.34' },
    ]);
  });

  it('groups events into visits, unknown values among themselves', async () => {
    const at = (event_id: string, second: string, other: Fields = {}): Fields => ({
      ...event,
      event_id,
      event_timestamp: `2025-06-15T10:00:${second}Z`,
      ...other,
    });
    const anonymous = { customer_id: null, browser: '' };
    const lake = new SmallLake(engine, AS_OF).load('clickstream', [
      at('b', '00', { referrer: 'second', product_id: 'p1', event_type: 'product_view' }),
      at('a', '00', { referrer: null, event_type: 'add_to_cart', product_id: 'p1' }),
      at('c', '45.9', { referrer: 'third', event_type: 'checkout' }),
      at('d', '30', anonymous),
      at('e', '31', anonymous),
      at('f', '31', { ...anonymous, browser: 'firefox' }),
    ]);
    await lake.compute('silver/sessions');
    const rows = await lake.rows('silver/sessions', 'total_events DESC');
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({
      session_id: 's1',
      customer_id: 'c1',
      total_events: 3,
      unique_event_types: 3,
      products_viewed: 1,
      page_views: 0,
      product_views: 1,
      cart_adds: 1,
      cart_removes: 0,
      checkouts: 1,
      searches: 0,
      entry_referrer: null,
      entry_geo_city: 'Oslo',
      session_duration_sec: 45,
      session_duration_min: '0.75',
      has_cart_activity: true,
      has_checkout: true,
      is_bounce: false,
      is_anonymous: false,
      engagement_level: 'Low',
      session_date: '2025-06-15',
    });
    expect(rows[1]).toMatchObject({
      customer_id: null,
      browser: null,
      total_events: 2,
      session_duration_sec: 1,
      session_duration_min: '0.02',
      is_anonymous: true,
      page_views: 2,
    });
    expect(rows[2]).toMatchObject({
      browser: 'Firefox',
      total_events: 1,
      is_bounce: true,
      engagement_level: 'Bounce',
      session_duration_sec: 0,
    });
  });

  it.each([
    [1, 'Bounce'],
    [2, 'Low'],
    [4, 'Low'],
    [5, 'Medium'],
    [9, 'Medium'],
    [10, 'High'],
  ])('calls a visit of %i events %s', async (n, engagement_level) => {
    const lake = new SmallLake(engine, AS_OF).load(
      'clickstream',
      Array.from({ length: n }, (_, at) => ({ ...event, event_id: `e${at}` })),
    );
    await lake.compute('silver/sessions');
    expect((await lake.rows('silver/sessions'))[0]).toMatchObject({ engagement_level, total_events: n });
  });
});
