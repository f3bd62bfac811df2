import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { recomputedUnits, sqlName } from '#contracts';
import { DuckDbEngine } from '#engine';
import { landings } from './testing/landings.js';
import { SmallLake } from './testing/small-lake.js';

let workDir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'seam-'));
  engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
});
afterAll(async () => {
  await engine.close();
  await rm(workDir, { recursive: true, force: true });
});

describe('recomputing only what a change touches', () => {
  it('gives, for any units, the full result restricted to them', async () => {
    await fc.assert(
      fc.asyncProperty(landings, landings, fc.integer({ min: 0, max: 1000 }), async (first, second, salt) => {
        const lake = new SmallLake(engine, '2025-06-15');
        for (const [name, rows] of Object.entries(first)) lake.load(name, rows, '2025-05-02');
        for (const [name, rows] of Object.entries(second)) lake.load(name, rows, '2025-05-03');
        await lake.compute(...lake.catalogue.tables.map(({ contract }) => contract.name));
        for (const { contract, measuresSql } of lake.catalogue.tables) {
          const { by, from } = recomputedUnits(contract);
          if (by.length === 0) continue;
          const query = (inputs: Readonly<Record<string, string>> = {}) =>
            measuresSql === undefined ? lake.query(contract.name, inputs) : lake.measures(contract.name, inputs);
          await engine.stage('work.whole', query());
          const units = `SELECT DISTINCT ${by.join(', ')} FROM work.whole WHERE hash(${by.join(', ')}, ${salt}) % 2 = 0`;
          await engine.stage('work.units', units);
          const inputs: Record<string, string> = {};
          for (const { input, by: path } of from) {
            if (path === 'all') continue;
            const relation = input.replace(/^bronze\./, 'parsed.');
            const other = `work.some_of_${relation.replace('.', '_')}`;
            await engine.stage(other, `SELECT * FROM ${relation} x WHERE ${touched('x', path, by)}`);
            inputs[relation] = other;
          }
          await engine.stage('work.part', query(inputs));
          await expectSame(contract.name, `SELECT * FROM work.whole w WHERE ${touched('w', by, by)}`, 'work.part');
          if (measuresSql === undefined) continue;
          const kept = [...by, ...(contract.recompute.measures?.columns ?? [])].join(', ');
          await expectSame(contract.name, `SELECT ${kept} FROM ${sqlName(contract.name)}`, 'work.whole');
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });
});

function touched(alias: string, columns: readonly string[], units: readonly string[]): string {
  const same = columns.map((column, n) => `u.${units[n] ?? column} IS NOT DISTINCT FROM ${alias}.${column}`);
  return `EXISTS (SELECT 1 FROM work.units u WHERE ${same.join(' AND ')})`;
}

async function expectSame(table: string, expected: string, relation: string): Promise<void> {
  const differing = await engine.query(
    `(${expected} EXCEPT ALL SELECT * FROM ${relation}) UNION ALL (SELECT * FROM ${relation} EXCEPT ALL ${expected})`,
  );
  expect({ table, differing }).toEqual({ table, differing: [] });
}
