import type { Catalogue, ColumnType } from '#contracts';
import { lakeColumns } from '#contracts';
import type { Row } from '#engine';
import { assert } from '#errors';
import type { Answers, PinnedRelease } from '../answers.js';
import type { OpenTables } from '../open-tables.js';
import { invalidQuery } from '../problem.js';
import type { GroupsQuery } from '../query.js';
import { tablesRead } from '../read-tables.js';
import { Bindings } from '../sql.js';
import { amountType, LineSql } from './line-sql.js';
import { changesSql, type Cause } from './changes-sql.js';
import { nameOf, planExplain, type ExplainPlan } from './explain-plan.js';

export interface ExplainQuestion {
  readonly catalogue: Catalogue;
  /** One measure, no groups. */
  readonly query: GroupsQuery;
  readonly scopes: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/** Amounts are in the type of `valueType`: text, so that no digit is lost; null where nobody knows. */
export interface Explanation {
  /** `sum(net_line_total)` */
  readonly measure: string;
  readonly value: Row[string];
  readonly unit: string;
  /** What was counted, in words. */
  readonly definition: string;
  readonly rowsCounted: number;
  readonly leftOut: readonly {
    readonly reason: string;
    readonly rules: readonly string[];
    readonly rows: number;
    readonly amount: Row[string];
  }[];
  readonly previous: { readonly release: number; readonly value: Row[string] } | null;
  /** Amounts sum to the value less the previous one. None where there is no previous release. */
  readonly changes: readonly { readonly cause: Cause; readonly rows: number; readonly amount: Row[string] }[];
  readonly valueType: ColumnType;
}

/** What an explanation is made from. */
export interface ExplainPlace {
  readonly plan: ExplainPlan;
  /** Names of tables that are read, of the release and of the previous one. */
  readonly tables: readonly string[];
  readonly previous: number | undefined;
}

/** Throws `explain.not_possible`. */
export async function placeOf(
  { catalogue, query }: Pick<ExplainQuestion, 'catalogue' | 'query'>,
  contract: ExplainPlan['contract'],
  { release }: PinnedRelease,
  answers: Pick<Answers, 'releases'>,
): Promise<ExplainPlace> {
  const [measure, second] = query.measures;
  assert(measure !== undefined && query.group.length === 0, 'the query has one measure and no group');
  if (second !== undefined) {
    throw invalidQuery([{ pointer: '/measures', code: 'too-many', detail: 'expected one measure' }]);
  }
  const plan = planExplain(contract, measure, catalogue);
  const tables = [...new Set([...tablesRead(query, contract, catalogue), ...plan.tables])];
  const changedIn = release.tables[contract.name]?.release;
  const numbers = changedIn === undefined ? [] : await answers.releases.numbers();
  return { plan, tables, previous: numbers.find((number) => changedIn !== undefined && number < changedIn) };
}

/** The figure, what it left out, and what made it change since the release before the table last changed. */
export async function explain(
  { catalogue, query, scopes, signal }: ExplainQuestion,
  { plan, tables }: ExplainPlace,
  now: PinnedRelease,
  before: PinnedRelease | undefined,
): Promise<Explanation> {
  const { contract, measure } = plan;
  const name = measure.name;
  const want = signal === undefined ? {} : { signal };
  const valueIn = async (release: PinnedRelease) =>
    (await release.page(query, contract, scopes, want)).rows[0]?.[name] ?? null;
  const value = await valueIn(now);
  const contracts = catalogue.contracts.filter((one) => tables.includes(one.name));
  const ask = (open: OpenTables, sql: string, bindings: Bindings) =>
    open.query(sql, bindings.values, { maxRows: 10_000, ...want });
  const { counted, leftOut } = await now.read(contracts, async (open) => {
    const bindings = new Bindings();
    const lines = new LineSql(plan, query.where, catalogue, open, bindings);
    const counted = await ask(open, `SELECT count(*) AS n FROM (${lines.counted([])})`, bindings);
    const others = new Bindings();
    const left = new LineSql(plan, query.where, catalogue, open, others);
    return { counted, leftOut: await ask(open, left.leftOut(), others) };
  });
  const isThere = before?.release.tables[contract.name] !== undefined;
  const previous =
    before === undefined || !isThere ? null : { release: before.release.number, value: await valueIn(before) };
  const changes =
    before === undefined || !isThere
      ? []
      : await now.read(contracts, (open) =>
          before.read(contracts, (earlier) => {
            const bindings = new Bindings();
            return ask(
              open,
              changesSql({ plan, where: query.where, catalogue, now: open, before: earlier, bindings }),
              bindings,
            );
          }),
        );
  return {
    measure: measure.path === undefined ? `${measure.measure}()` : `${measure.measure}(${measure.path})`,
    value,
    unit: unitOf(plan),
    definition: definitionOf(plan),
    rowsCounted: Number(counted[0]?.['n'] ?? 0),
    leftOut: leftOut.map(({ reason, rules, n, amount }) => ({
      reason: String(reason),
      rules: String(rules) === '' ? [] : String(rules).split(', '),
      rows: Number(n),
      amount: amount ?? null,
    })),
    previous,
    changes: changes.map(({ cause, n, amount }) => ({
      cause: cause as Cause,
      rows: Number(n),
      amount: amount ?? null,
    })),
    valueType: amountType(plan),
  };
}

function unitOf({ contract, measure, counts }: ExplainPlan): string {
  if (measure.path === undefined || counts) return 'rows';
  return lakeColumns(contract)[measure.path]?.unit ?? '';
}

/** In words what is counted, and what is not. */
function definitionOf({ contract, lines, grain, each, measure, counts, sum }: ExplainPlan): string {
  const product = nameOf(contract);
  const column = measure.path === undefined ? undefined : contract.columns[measure.path];
  const of =
    column === undefined
      ? 'Rows'
      : counts
        ? `Rows with a ${measure.path ?? ''}`
        : `Sum of ${measure.path ?? ''} (${column.description})`;
  const rows = sum === undefined ? '' : ` Rows here are those of ${nameOf(lines.contract)} that it adds up`;
  const unless = sum?.unless === undefined ? '' : `, but for ${sum.unless.reason} ones (${sum.unless.when})`;
  const together =
    each.together.length === 0
      ? ''
      : ` What follows from several records (${each.together.join(', ')}) is not known of them.`;
  return (
    `${of} over the rows of ${product} that the filter keeps. ${contract.describes}${rows}${unless}${rows === '' ? '' : '.'} ` +
    `Each row comes from one record of ${grain.source.name}. Left out are records that broke a rule (quarantined), lost ` +
    `their key to another record (duplicate) or have no place yet (orphaned), as far as the filter keeps them by what ` +
    `can be read of them.${together}`
  );
}
