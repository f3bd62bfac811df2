export type { Body, ByteRange, ObjectInfo, ObjectStore } from './object-store.js';
export { LocalStore } from './local-store.js';
export { MemoryStore, type Fault } from './memory-store.js';
export { localCopy } from './local-copy.js';
