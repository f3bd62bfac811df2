import { mkdtempSync, rmSync } from 'node:fs';
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
});
