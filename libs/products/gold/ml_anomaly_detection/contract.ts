import { count, date, flag, integer, money, rate, required, table, text, timestamp } from '#contracts';

export const mlAnomalyDetection = table('gold/ml_anomaly_detection', {
  describes: 'Payments, and how unusual each is for its payment method. CRITICAL and HIGH rows are alerts.',
  key: ['transaction_id'],
  sortBy: ['transaction_timestamp', 'transaction_id'],
  columns: {
    transaction_id: required(text('Transaction')),
    order_id: required(text('Order that is paid')),
    amount: required(money('Amount')),
    payment_method: text('Payment method, lower case'),
    status: text('SUCCESS, FAILED, PENDING, REFUNDED, or the original in upper case'),
    risk_score: integer("The gateway's risk score", 'points'),
    risk_level: text('CRITICAL from 80, HIGH from 60, MEDIUM from 40, LOW from 20, else VERY_LOW'),
    is_high_risk: flag('risk_score is 70 or more'),
    is_off_hours: flag('Between 23:00 and 05:59 UTC'),
    is_high_amount: flag('amount is above 2000'),
    is_international: flag('From abroad, as the gateway says'),
    fraud_signal_count: required(count('How many of the four signals are on')),
    fraud_risk_label: required(text('CRITICAL from 3 signals, HIGH 2, MEDIUM 1, LOW 0')),
    transaction_timestamp: required(timestamp('When it happened')),
    transaction_date: required(date('Day in UTC')),
    z_score: rate("Distance of amount from the payment method's mean", 'standard deviations'),
    is_statistical_anomaly: flag('That distance, unrounded, is above 2'),
    anomaly_type: required(text('EXTREME above 3, SIGNIFICANT above 2, MODERATE above 1.5, else NORMAL')),
    combined_risk_score: required(integer('fraud_signal_count, and 2 for a statistical anomaly', 'points')),
    overall_risk: required(text('CRITICAL from 4, HIGH 3, MEDIUM 2, LOW 1, SAFE 0')),
  },
  checks: [
    {
      name: 'payments_complete',
      severity: 'error',
      description: 'The payments are those of silver.',
      failing: `SELECT a.n FROM (SELECT count(*) AS n FROM gold.ml_anomaly_detection) a
        CROSS JOIN (SELECT count(*) AS n FROM silver.payments) p WHERE a.n <> p.n`,
    },
  ],
  recompute: {
    by: [],
    from: [
      {
        input: 'silver.payments',
        by: 'all',
        own: { transaction_id: 'transaction_id' },
        others: 'mean and spread of each payment method',
      },
    ],
    asOf: false,
  },
  explained: {
    each: 'silver.payments',
    key: 'transaction_id',
    named: ['transaction_id'],
    together: ['z_score', 'is_statistical_anomaly', 'anomaly_type', 'combined_risk_score', 'overall_risk'],
  },
});
