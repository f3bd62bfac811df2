import type { Action } from './action.js';
import { fileIdentity } from './file-path.js';
import type { Snapshot } from './snapshot.js';

/** Why a commit cannot stand on what it read. */
export type Clash =
  /** The table was made, or got another schema or protocol. */
  | { readonly kind: 'created' | 'redefined'; readonly version: number }
  /** The same application wrote already: perhaps this very change. */
  | { readonly kind: 'txn'; readonly version: number; readonly appId: string }
  /** A file was taken away that the actions follow from, or remove too. */
  | { readonly kind: 'file'; readonly version: number; readonly path: string }
  /** Rows came that the actions should have followed from. */
  | { readonly kind: 'append'; readonly version: number; readonly path: string }
  /** What others did since cannot be read any more. */
  | { readonly kind: 'cleaned'; readonly version: number };

export interface Intent {
  /** What the actions follow from; undefined for a table that is created. */
  readonly read: Snapshot | undefined;
  readonly actions: readonly Action[];
  /** The actions follow from no file that was read (a plain append): others may add files meanwhile. */
  readonly blind: boolean;
}

/** Pure: does a version that another writer committed touch what our actions follow from? */
export function findClash(
  { read, actions, blind }: Intent,
  version: number,
  theirs: readonly Action[],
): Clash | undefined {
  if (read === undefined) return { kind: 'created', version };
  if (actions.some((action) => 'metaData' in action || 'protocol' in action)) return { kind: 'redefined', version };
  const ourApps = new Set(actions.flatMap((action) => ('txn' in action ? [action.txn.appId] : [])));
  const removed = new Set(actions.flatMap((action) => ('remove' in action ? [fileIdentity(action.remove.path)] : [])));
  for (const action of theirs) {
    if ('metaData' in action || 'protocol' in action) return { kind: 'redefined', version };
    if ('txn' in action && ourApps.has(action.txn.appId)) return { kind: 'txn', version, appId: action.txn.appId };
    if ('remove' in action) {
      const { path, dataChange } = action.remove;
      // Rows that only moved to another file are still what we read, unless we remove that file ourselves.
      if (removed.has(fileIdentity(path)) || (!blind && dataChange)) return { kind: 'file', version, path };
    }
    if ('add' in action && !blind && action.add.dataChange) return { kind: 'append', version, path: action.add.path };
  }
  return undefined;
}

/** Pure: is a transaction of the actions in the table already when it is read? Then the commit was made before. */
export function findDone({ read, actions }: Intent): Clash | undefined {
  for (const action of actions) {
    if (!('txn' in action)) continue;
    const { appId, version } = action.txn;
    if (version <= (read?.txns.get(appId) ?? -Infinity)) return { kind: 'txn', version: read?.version ?? 0, appId };
  }
  return undefined;
}
