import {
  date,
  flag,
  integer,
  pii,
  pseudonym,
  required,
  requires,
  silverTable,
  text,
  warnIfEmpty,
  type Column,
} from '#contracts';

/** What silver and the customer dimension both say of a customer, in order. The street stays in silver. */
export const customerColumns: Readonly<Record<string, Column>> = {
  customer_id: required(text('Customer')),
  first_name: pii(text('First name')),
  last_name: pii(text('Last name')),
  first_name_initial: pii(text('First letter of the first name')),
  last_name_initial: pii(text('First letter of the last name')),
  email_hash: pseudonym(text('SHA-256, hexadecimal, of the trimmed lower-case e-mail address; unsalted')),
  email_domain: text('Domain of the e-mail address, lower case'),
  has_email: flag('An e-mail address is known'),
  phone_masked: text('Last four digits of the phone number behind ***-***-'),
  date_of_birth: pii(date('Date of birth')),
  gender: required(text('Male, Female or Other')),
  registration_date: date('Day of registration'),
  loyalty_tier: text('Loyalty tier'),
  address_street: pii(text('Street')),
  address_city: text('City'),
  address_state: text('State'),
  address_zip: pii(text('Postal code')),
  address_country: text('Country'),
  pref_categories: text('Categories of interest, comma-joined as they came'),
  pref_communication: text('Channels of contact, comma-joined as they came'),
  age: integer('Full years of 365.25 days on the as_of date', 'years'),
  age_group: text('18-24 (and below), 25-34, 35-44, 45-54, 55-64, 65+'),
  customer_tenure_days: integer('Days from registration to the as_of date', 'days'),
  tenure_category: text('New, Growing, Established or Loyal, by tenure'),
};

export const customers = silverTable('silver/customers', {
  describes: 'Customers: the latest valid record of each, without e-mail address and phone number.',
  source: 'customers',
  key: ['customer_id'],
  columns: customerColumns,
  rules: [
    requires('customer_id'),
    { name: 'born_in_future', description: 'date_of_birth is after as_of', broken: 'date_of_birth > :as_of' },
  ],
  checks: [
    warnIfEmpty('silver/customers'),
    {
      name: 'no_email_left',
      severity: 'error',
      description: 'email_hash is a hash: 64 characters.',
      failing: 'SELECT customer_id FROM silver.customers WHERE length(email_hash) <> 64',
      units: { 'silver.customers': ['customer_id'] },
    },
  ],
  recompute: { by: ['customer_id'], from: [{ input: 'bronze.customers', by: ['customer_id'] }], asOf: true },
});
