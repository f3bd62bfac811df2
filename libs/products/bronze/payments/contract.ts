import { source } from '#contracts';
import { amount, asIs, id, instant, truth, whole } from '../../field.js';

export const payments = source('payments', {
  format: 'json',
  folder: 'source6_payments_api',
  describes: 'Transactions of the payment gateway.',
  fields: {
    transaction_id: id,
    order_id: id,
    payment_method: id,
    card_type: id,
    amount,
    currency: id,
    status: id,
    gateway_response_code: asIs,
    is_international: truth,
    transaction_timestamp: instant,
    risk_score: whole,
    ip_address: asIs,
    device_fingerprint: asIs,
  },
  pii: ['ip_address', 'device_fingerprint'],
});
