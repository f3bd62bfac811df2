import type { Catalogue, TableContract, TableDefinition } from '#contracts';
import { LakeError } from '#errors';

/** Gold tables as the doors name them: `gold/fact_sales` is the product `fact_sales`. */
export class Products {
  readonly all: readonly TableDefinition[];
  readonly #byName: ReadonlyMap<string, TableDefinition>;

  constructor(catalogue: Catalogue) {
    this.all = catalogue.tables.filter(({ contract }) => contract.layer === 'gold');
    this.#byName = new Map(this.all.map((table) => [productName(table.contract), table]));
  }

  /** Throws `product.not_found`. */
  named(name: string): TableDefinition {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw new LakeError(
      'product.not_found',
      'notFound',
      `There is no product ${JSON.stringify(name.slice(0, 60))}: ${[...this.#byName.keys()].join(', ')}.`,
    );
  }
}

/** `fact_sales@1` */
export function contractTag(contract: TableContract): string {
  return `${productName(contract)}@${contract.version}`;
}

/** What an answer's headers say of the contracts that it was read by, and of columns that the asker may not see. */
export function contractHeaders(
  contracts: readonly TableContract[],
  masked: readonly string[],
): Readonly<Record<string, string>> {
  return {
    'X-Contract': contracts.map(contractTag).join(', '),
    ...(masked.length === 0 ? {} : { 'X-Masked-Columns': masked.join(',') }),
  };
}

export function productName({ name }: TableContract): string {
  return name.slice(name.indexOf('/') + 1);
}
