import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunReport } from '#pipeline';
import { shopsmart, type Ended, type Place } from '../cli/shopsmart.js';
import type { DeltaRs, Row } from '../delta-rs/delta-rs.js';

export const AS_OF = '2026-02-17';

/** What differs between two runs over the same input, and between two copies of a file. */
const OF_THE_RUN = ['_processed_at', '_run_id', '_loaded_at', 'loaded_at', 'run_id', 'modified_ms'];

export interface RunEnded extends Ended {
  readonly report: RunReport;
}

/** A folder with a landing area and a lake, and the command line started in it. */
export class Shop {
  private constructor(readonly folder: string) {}

  static make(): Shop {
    return new Shop(mkdtempSync(join(tmpdir(), 'shop-')));
  }

  get lake(): string {
    return join(this.folder, 'data/lake');
  }

  get landing(): string {
    return join(this.folder, 'data/landing');
  }

  land(path: string, content: string | Uint8Array): void {
    const file = join(this.landing, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  call(args: readonly string[], place: Partial<Place> = {}): Promise<Ended> {
    return shopsmart(args, { cwd: this.folder, ...place });
  }

  /** A run that ends well; its report is all that it prints. */
  async run(args: readonly string[] = [], place: Partial<Place> = {}): Promise<RunEnded> {
    const ended = await this.call(['run', '--as-of', AS_OF, '--json', ...args], place);
    if (ended.code !== 0) throw new Error(`run ended with ${ended.code}\n${ended.stderr}`);
    return { ...ended, report: JSON.parse(ended.stdout) as RunReport };
  }

  async ask(sql: string, ...options: readonly string[]): Promise<readonly Row[]> {
    const { code, stdout, stderr } = await this.call(['sql', sql, '--json', ...options]);
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { readonly data: readonly Row[] }).data;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Folders of all Delta tables of a lake, below it, in order. */
export function tablesOf(lake: string): readonly string[] {
  return readdirSync(lake, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/_delta_log'))
    .map((path) => dirname(path))
    .sort();
}

/** Each table as delta-rs reads it: how many rows, and a digest of them without what names the run. */
export async function contentOf(deltaRs: DeltaRs, lake: string): Promise<Readonly<Record<string, string>>> {
  const content: Record<string, string> = {};
  for (const table of tablesOf(lake)) {
    content[table] = String(await deltaRs.ask('digest', join(lake, table), OF_THE_RUN));
  }
  return content;
}

/** Files below a folder; those that vanish meanwhile do not count. */
export function countFiles(folder: string, name = /./): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && name.test(entry.name),
    ).length;
  } catch {
    return 0;
  }
}

const ORDER_FIELDS =
  'order_id,customer_id,order_date,order_status,total_amount,discount_amount,shipping_amount,payment_method,channel,' +
  'shipping_address_id,created_at,updated_at';

/** A CSV export of orders; a record is `id` alone, all else follows. */
export function ordersCsv(...ids: readonly string[]): string {
  return [ORDER_FIELDS, ...ids.map(orderRecord), ''].join('\n');
}

export function orderRecord(id: string): string {
  return `${id},C-1,2026-01-05 10:00:00,DELIVERED,25.00,0,5.00,card,web,A-1,2026-01-05 10:00:00,2026-01-06 10:00:00`;
}

/** The smallest shop in which every product has rows. */
export function landSmallShop(shop: Shop): void {
  shop.land('source1_orders_pg/orders.csv', ordersCsv('O-1', 'O-2'));
  shop.land(
    'source1_orders_pg/order_items.csv',
    'item_id,order_id,product_id,quantity,unit_price,discount_percent,item_status,created_at\n' +
      'I-1,O-1,P-1,2,10.00,0,fulfilled,2026-01-05\nI-2,O-2,P-1,1,10.00,10,fulfilled,2026-01-05\n',
  );
  shop.land(
    'source2_customers_api/customers.json',
    '{"customer_id":"C-1","first_name":"Ada","registration_date":"2025-01-01"}\n',
  );
  shop.land('source3_products_mongo/products.json', '[{"product_id":"P-1","price":10,"cost_price":4}]');
  shop.land(
    'source6_payments_api/payments.json',
    '[{"transaction_id":"T-1","order_id":"O-1","amount":25,"payment_method":"card","transaction_timestamp":"2026-01-05T10:00:00Z"}]',
  );
}
