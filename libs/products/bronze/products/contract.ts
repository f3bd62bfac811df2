import { source } from '#contracts';
import { amount, asIs, id, instant, json, ratio, truth, weight, whole } from '../../field.js';

export const products = source('products', {
  format: 'json',
  folder: 'source3_products_mongo',
  describes: 'Products as exported from the catalogue database.',
  fields: {
    product_id: id,
    product_name: asIs,
    category: id,
    sub_category: id,
    brand: id,
    price: amount,
    cost_price: amount,
    weight_kg: weight,
    supplier_id: id,
    rating: ratio,
    review_count: whole,
    is_active: truth,
    attributes: json,
    created_at: instant,
    updated_at: instant,
  },
});
