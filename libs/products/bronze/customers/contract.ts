import { source } from '#contracts';
import { asIs, day, id, json } from '../../field.js';

export const customers = source('customers', {
  format: 'json',
  folder: 'source2_customers_api',
  describes: 'Customers as the customer service answers them.',
  fields: {
    customer_id: id,
    first_name: asIs,
    last_name: asIs,
    email: id,
    phone: id,
    date_of_birth: day,
    gender: id,
    registration_date: day,
    loyalty_tier: id,
    address: json,
    preferences: json,
  },
  pii: ['first_name', 'last_name', 'email', 'phone', 'date_of_birth', 'address'],
});
