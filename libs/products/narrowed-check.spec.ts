import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkedRelations, failingAmong, sqlName, touchedRows, touchedUnits, type Check } from '#contracts';
import { DuckDbEngine } from '#engine';
import { shopCatalogue } from './shop-catalogue.js';
import { landings } from './testing/landings.js';
import { SmallLake, withInputs } from './testing/small-lake.js';

const shop = shopCatalogue();
const columnsOf = new Map(shop.contracts.map(({ name, columns }) => [sqlName(name), columns]));
const checks = shop.tables
  .filter(({ contract }) => contract.owner === 'batch')
  .flatMap(({ contract }) => contract.checks.filter(({ severity }) => severity === 'error'));
const relations = [...new Set(checks.flatMap(checkedRelations))];

let workDir: string;
let engine: DuckDbEngine;

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'narrowed-'));
  engine = await DuckDbEngine.open({ workDir, threads: 1, memoryLimit: '500MB' });
});
afterAll(async () => {
  await engine.close();
  await rm(workDir, { recursive: true, force: true });
});

describe('a check narrowed to what changed', () => {
  it('fails where the whole check fails, if that passed before, whatever rows went, came or changed', async () => {
    const verdicts = { passed: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(landings, fc.integer({ min: 0, max: 1000 }), async (landing, salt) => {
        const lake = new SmallLake(engine, '2025-06-15');
        for (const [name, rows] of Object.entries(landing)) lake.load(name, rows, '2025-05-02');
        await lake.compute(...lake.catalogue.tables.map(({ contract }) => contract.name));
        for (const [at, relation] of relations.entries()) await change(relation, salt + at);
        for (const [at, check] of checks.entries()) {
          const read = checkedRelations(check);
          // one relation changed, or all that it reads
          const changed = (salt + at) % 3 === 0 ? read : [read[(salt + at) % read.length] ?? ''];
          if ((await failing(check.failing)) > 0) continue;
          const now = Object.fromEntries(changed.map((relation) => [relation, nameOf('now', relation)]));
          const whole = (await failing(withInputs(check.failing, now))) > 0;
          expect({ check, narrowed: await narrowed(check, changed, now) }).toEqual({ check, narrowed: whole });
          verdicts[whole ? 'failed' : 'passed']++;
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
    expect(Math.min(verdicts.passed, verdicts.failed)).toBeGreaterThan(20);
  });
});

async function narrowed(check: Check, relations: readonly string[], now: Readonly<Record<string, string>>) {
  const changes = relations.map((name) => ({
    name,
    columns: columnsOf.get(name) ?? {},
    changed: nameOf('changed', name),
  }));
  const units = touchedUnits(check, changes);
  if (units !== undefined) {
    if ((await engine.stage('work.units', units)) === 0) return false;
    const among = failingAmong(check, (relation) => columnsOf.get(relation) ?? {}, 'work.units');
    return (await failing(withInputs(among, now))) > 0;
  }
  for (const change of changes) {
    if ((await failing(touchedRows(check, change))) > 0) return (await failing(withInputs(check.failing, now))) > 0;
  }
  return false;
}

/** Stages a relation as it might be later, with rows lost, doubled and mixed up, and what changed between. */
async function change(relation: string, salt: number): Promise<void> {
  const names = Object.keys(columnsOf.get(relation) ?? {});
  const mixed = names[salt % names.length] ?? '';
  const now = nameOf('now', relation);
  const nullable = columnsOf.get(relation)?.[mixed]?.nullable ?? false;
  const values = [
    `coalesce(lead(${mixed}) OVER (ORDER BY hash(place, ${salt}), place), ${mixed})`,
    nullable ? 'NULL' : mixed,
    mixed,
  ];
  const dice = `hash(place, ${salt + 1}) % 12`;
  await engine.stage(
    now,
    `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM (
      SELECT * EXCLUDE (place) REPLACE (CASE WHEN ${dice} = 0 THEN ${values[salt % 3]} ELSE ${mixed} END AS ${mixed}),
        CASE WHEN ${dice} = 1 THEN 0 WHEN ${dice} = 2 AND ${salt} % 2 = 0 THEN 2 ELSE 1 END AS times
      FROM (SELECT *, row_number() OVER () AS place FROM ${relation})) r
    JOIN (VALUES (1), (2)) n(n) ON n.n <= r.times`,
  );
  const columns = names.join(', ');
  const less = (from: string, other: string) =>
    `SELECT ${columns} FROM ${from} EXCEPT ALL SELECT ${columns} FROM ${other}`;
  await engine.stage(
    nameOf('changed', relation),
    `SELECT *, TRUE AS _came FROM (${less(now, relation)}) c UNION ALL SELECT *, FALSE AS _came FROM (${less(relation, now)}) w`,
  );
}

function nameOf(role: string, relation: string): string {
  return `work.${role}_${relation.replace('.', '_')}`;
}

async function failing(sql: string): Promise<number> {
  const [row] = await engine.query(`SELECT count(*) AS n FROM (${sql}) f`);
  return Number(row?.['n']);
}
