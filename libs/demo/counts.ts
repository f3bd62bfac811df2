import { LakeError } from '#errors';

/** How many records of each kind a data set holds; all grow linearly with scale. */
export interface Counts {
  readonly orders: number;
  readonly ordersWithoutStatus: number;
  readonly items: number;
  readonly itemsWithoutStatus: number;
  readonly customers: number;
  readonly customersWithoutEmail: number;
  readonly products: number;
  readonly inventory: number;
  readonly negativeStock: number;
  readonly payments: number;
  readonly events: number;
  readonly anonymousEvents: number;
  readonly sessions: number;
}

/** Below, some planted stories have no room; above, a customer no longer fits its sort key. */
const SMALLEST_SCALE = 0.5;
const LARGEST_SCALE = 20_000;

export const WAREHOUSES = ['WH-EAST', 'WH-CENTRAL', 'WH-WEST'] as const;

export function planCounts(scale: number): Counts {
  if (!(scale >= SMALLEST_SCALE && scale <= LARGEST_SCALE))
    throw new LakeError(
      'demo.bad_scale',
      'invalid',
      `scale ${scale} is outside ${SMALLEST_SCALE} to ${LARGEST_SCALE}; scale 1 makes 2,000 orders`,
    );
  const of = (atScaleOne: number) => Math.round(atScaleOne * scale);
  const products = of(50);
  return {
    orders: of(2000),
    ordersWithoutStatus: of(52),
    items: of(4904),
    itemsWithoutStatus: of(124),
    customers: of(500),
    customersWithoutEmail: of(53),
    products,
    inventory: products * WAREHOUSES.length,
    negativeStock: of(4),
    payments: of(2000),
    events: of(3000),
    anonymousEvents: of(626),
    sessions: of(650),
  };
}
