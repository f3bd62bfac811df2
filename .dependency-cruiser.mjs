import { layers } from './layers.mjs';

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'doors',
      comment: 'a lib is entered through its index.ts only; its testing/ is for the tests of others too',
      severity: 'error',
      from: { path: '^(libs/([^/]+)|apps|src|test|bench)/' },
      to: { path: '^libs/[^/]+/(?!index\\.ts$|testing/)', pathNot: '^libs/$2/' },
    },
    ...Object.entries(layers).map(([lib, allowed]) => ({
      name: `layer-${lib}`,
      severity: 'error',
      from: { path: `^libs/${lib}/`, pathNot: '\\.spec\\.ts$' },
      to: { path: `^(libs/(?!(${[lib, ...allowed].join('|')})/)|apps/|src/|test/|bench/)` },
    })),
    { name: 'apps-only-compose', severity: 'error', from: { path: '^libs/' }, to: { path: '^(apps|src|test|bench)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
