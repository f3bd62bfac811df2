import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lakeColumns } from '#contracts';
import { parseSchema } from '#delta';
import { shopCatalogue } from '#products';
import { shopsmart } from '../cli/shopsmart.js';
import { DeltaRs } from './delta-rs.js';

const { contracts } = shopCatalogue();

describe('a published release', () => {
  let cwd: string;
  let deltaRs: DeltaRs;
  const path = (table: string) => join(cwd, 'data/lake', table);

  beforeAll(async () => {
    deltaRs = DeltaRs.start();
    cwd = mkdtempSync(join(tmpdir(), 'every-table-'));
    for (const command of ['demo', 'run']) {
      const { code, stderr } = await shopsmart([command], { cwd });
      if (code !== 0) throw new Error(`${command}: ${stderr}`);
    }
  }, 240_000);
  afterAll(async () => {
    await deltaRs?.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  it.each(contracts.map((contract) => [contract.name, contract] as const))(
    'opens in delta-rs by path: %s has the types of its contract, and no file too many',
    async (table, contract) => {
      const columns = Object.entries(lakeColumns(contract)).map(([name, { type, nullable, description }]) => ({
        name,
        type,
        nullable,
        comment: description,
      }));
      expect(parseSchema((await deltaRs.ask('schema', path(table))) as string)).toEqual(columns);
      expect(await deltaRs.ask('orphans', path(table))).toEqual([]);
    },
  );

  it('goes on when delta-rs compacted its tables', async () => {
    for (const { name } of contracts) await deltaRs.ask('compact', path(name));
    const { code, stdout } = await shopsmart(['run'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing new: release 1 is current');
  });

  it('is in delta-rs what a rollback restored, over a compaction too', async () => {
    const rowsOf = async (table: string) => ((await deltaRs.ask('read', path(table))) as readonly unknown[]).length;
    const before = await rowsOf('gold/dim_product');
    const product = { product_id: 'NEW-1', product_name: 'New', category: 'toys', price: '10.00', cost_price: '4.00' };
    writeFileSync(join(cwd, 'data/landing/products_new.json'), JSON.stringify(product));
    expect((await shopsmart(['run'], { cwd })).code).toBe(0);
    expect(await rowsOf('gold/dim_product')).toBe(before + 1);
    await deltaRs.ask('compact', path('gold/dim_product'));
    expect((await shopsmart(['rollback', '1'], { cwd })).code).toBe(0);
    expect(await rowsOf('gold/dim_product')).toBe(before);
  });
});
