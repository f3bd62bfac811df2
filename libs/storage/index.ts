export type { Body, ByteRange, ObjectInfo, ObjectStore } from './object-store.js';
export { LocalStore } from './local-store.js';
export { MemoryStore, type Fault } from './memory-store.js';
export { ReadOnlyStore } from './read-only-store.js';
export { isProcessRunning } from './process-running.js';
export { syncPath } from './sync-path.js';
export { localCopy } from './local-copy.js';
