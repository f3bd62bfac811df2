import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LakeError } from '#errors';
import { dateText, parseDay } from './day.js';
import { LandingFile } from './landing-file.js';

/**
 * What the later days of a shop follow from. Lies beside the landing files under a name that no source has, so that runs
 * pass over it; with a dot in front, each run would report a file that waits.
 */
export interface ShopState {
  readonly scale: number;
  readonly seed: number;
  /** The last day of the first load. */
  readonly asOf: string;
  /** How many days after it have been written. */
  readonly laterDays: number;
}

const STATE = 'demo-shop.json';
export const MOST_LATER_DAYS = 3650;

/** The files of a later day, by what they hold. The date in their names puts them behind those before them. */
const LATER_FILES = {
  orders: ['source1_orders_pg/orders', 'csv'],
  items: ['source1_orders_pg/order_items', 'csv'],
  customers: ['source2_customers_api/customers', 'json'],
  products: ['source3_products_mongo/products', 'json'],
  events: ['source4_clickstream_eventhub/clickstream', 'json'],
  inventory: ['source5_inventory_csv/inventory', 'csv'],
  payments: ['source6_payments_api/payments', 'json'],
} as const;

export function laterPath(what: keyof typeof LATER_FILES, date: string): string {
  const [path, ending] = LATER_FILES[what];
  return `${path}_${date}.${ending}`;
}

export async function readShopState(outDir: string): Promise<ShopState> {
  const state = await findShopState(outDir);
  if (state !== undefined) return state;
  throw new LakeError(
    'demo.no_shop',
    'notFound',
    `${outDir} holds no demo shop that days could follow (no readable ${STATE}): write one with shopsmart demo, or name its folder with --out`,
    { at: { path: join(outDir, STATE) } },
  );
}

/** Replaces it as a whole; renamed last of all files of a day, it is what makes the day written. */
export async function writeShopState(outDir: string, state: ShopState): Promise<void> {
  const file = await LandingFile.create(outDir, STATE, undefined);
  file.frame(`${JSON.stringify(state)}\n`);
  await file.close();
  await file.publish();
}

/** Removes the files of the days that followed the shop in this folder, if there is one. */
export async function removeLaterDays(outDir: string): Promise<void> {
  const state = await findShopState(outDir);
  if (state === undefined) return;
  // One more: its files may have been published when its writer was killed.
  for (let day = 1; day <= state.laterDays + 1; day++) {
    const date = dateText(parseDay(state.asOf) + day);
    for (const what of Object.keys(LATER_FILES) as (keyof typeof LATER_FILES)[])
      await rm(join(outDir, laterPath(what, date)), { force: true });
  }
}

async function findShopState(outDir: string): Promise<ShopState | undefined> {
  try {
    return parseState(JSON.parse(await readFile(join(outDir, STATE), 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function parseState(value: unknown): ShopState | undefined {
  const { scale, seed, asOf, laterDays } = (value ?? {}) as Partial<Record<keyof ShopState, unknown>>;
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const isWhole =
    typeof scale === 'number' &&
    isCount(seed) &&
    typeof asOf === 'string' &&
    isCount(laterDays) &&
    laterDays <= MOST_LATER_DAYS;
  return isWhole && /^\d{4}-\d{2}-\d{2}$/.test(asOf) ? { scale, seed, asOf, laterDays } : undefined;
}
