export { LakeError, type ErrorKind, type ErrorPlace } from './lake-error.js';
export { assert, assertNever } from './assert.js';
