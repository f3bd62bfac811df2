import { readFileSync } from 'node:fs';

const swc = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  testRegex: '\\.spec\\.ts$',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline', module: { type: 'es6' } }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // not dist: it may hold compiled specs
  roots: ['libs', 'apps/api', 'apps/worker', 'src', 'test'].map((folder) => `<rootDir>/${folder}`),
  collectCoverageFrom: ['{libs,apps}/**/*.ts', '!**/*.spec.ts'],
  testSequencer: '<rootDir>/test/slowest-first.mjs',
  testTimeout: 60_000,
  workerIdleMemoryLimit: '1GB',
};
