import { source } from '#contracts';
import { day, id, whole } from '../../field.js';

export const inventory = source('inventory', {
  format: 'csv',
  folder: 'source5_inventory_csv',
  describes: 'Daily counts of stock in each warehouse.',
  fields: {
    product_id: id,
    warehouse_id: id,
    quantity_on_hand: whole,
    quantity_reserved: whole,
    reorder_point: whole,
    reorder_quantity: whole,
    last_restock_date: day,
    snapshot_date: day,
  },
});
