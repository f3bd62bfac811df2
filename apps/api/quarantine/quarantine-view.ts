import type { Catalogue, Source } from '#contracts';
import {
  maskedText,
  maskedView,
  type QuarantinedRecord,
  type RecordView,
  type Repair,
  type RepairAction,
} from '#pipeline';

/** What callers see of records: personal fields only with the scope for them. */
export class QuarantineView {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly seesPeople: boolean,
  ) {}

  record(record: QuarantinedRecord, pending: string | null) {
    return { ...record, record: this.#text(record.source, record.record), pending };
  }

  details(view: RecordView) {
    const source = this.#source(view.source);
    return this.seesPeople || source === undefined ? view : maskedView(source, view);
  }

  repair({ id, source, table, by, at, reason, records }: Repair) {
    const first = records.slice(0, LISTED).map(({ id, rules, before, after }) => ({
      id,
      rules,
      before: this.#text(source, before),
      after: this.#text(source, after.record ?? JSON.stringify(after.fields)),
    }));
    return { repair: id, source, table, by, at, reason, records: records.length, first };
  }

  action({ changes, ...action }: RepairAction) {
    return {
      ...action,
      changes: changes.map(({ id, before, after }) => {
        const source = id.split(':')[0] ?? '';
        return { id, before: this.#text(source, before), after: this.#text(source, after) };
      }),
    };
  }

  #text(source: string, text: string): string | null {
    const found = this.#source(source);
    if (this.seesPeople) return text;
    return found === undefined ? null : maskedText(found, text);
  }

  #source(name: string): Source | undefined {
    return this.catalogue.sources.find((source) => source.name === name);
  }
}

/** Records of a repair that are shown; the lake has the others. */
const LISTED = 20;
