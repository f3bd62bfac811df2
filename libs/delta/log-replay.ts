import { LakeError } from '#errors';
import type { Action, Add, Metadata, Protocol, Remove } from './action.js';
import { fileIdentity } from './file-path.js';
import { checkReadable } from './protocol.js';
import { parseSchema } from './schema-string.js';
import type { Snapshot } from './snapshot.js';

/**
 * A table's state, built from its log oldest first; knows no store. The last word about a file is the one that counts.
 * Only the state is kept, so a log may be of any length.
 */
export class LogReplay {
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  /** By identity: writers spell the path of one file differently. */
  readonly #files = new Map<string, Add>();
  readonly #tombstones = new Map<string, Remove>();
  readonly #txns = new Map<string, number>();

  /** The actions of the next version, or of the checkpoint that stands for all so far. */
  apply(actions: readonly Action[]): void {
    for (const action of actions) {
      if ('add' in action) {
        const file = fileIdentity(action.add.path);
        this.#tombstones.delete(file);
        // Re-adding moves a file to the end: log order is the order of last words.
        this.#files.delete(file);
        this.#files.set(file, action.add);
      } else if ('remove' in action) {
        const file = fileIdentity(action.remove.path);
        this.#files.delete(file);
        this.#tombstones.set(file, action.remove);
      } else if ('txn' in action) this.#txns.set(action.txn.appId, action.txn.version);
      else if ('metaData' in action) this.#metadata = action.metaData;
      else if ('protocol' in action) this.#protocol = action.protocol;
    }
  }

  /** Throws `delta.corrupt_log` without a protocol or schema, `delta.unreadable_feature` for what this reader does not know. */
  snapshot(table: string, version: number, timestampMs: number): Snapshot {
    const protocol = this.#protocol;
    const metadata = this.#metadata;
    if (protocol === undefined || metadata === undefined) {
      throw new LakeError(
        'delta.corrupt_log',
        'corrupt',
        `The log of ${table} names no ${protocol === undefined ? 'protocol' : 'schema'} up to version ${version}. Restore its _delta_log from a backup.`,
        { at: { table, version } },
      );
    }
    checkReadable({ table, version, protocol, metadata });
    return {
      table,
      version,
      timestampMs,
      protocol,
      metadata,
      schema: parseSchema(metadata.schemaString),
      files: new Map([...this.#files.values()].map((add) => [add.path, add])),
      tombstones: new Map([...this.#tombstones.values()].map((remove) => [remove.path, remove])),
      txns: new Map(this.#txns),
    };
  }
}
