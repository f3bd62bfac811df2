#!/usr/bin/env node
// Runs the build that is there: commands may run side by side, so only a missing build is made here.
import { isBuilt, prepare } from './prepare.mjs';

try {
  if (!isBuilt()) await prepare();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
await import('../dist/src/main.js');
