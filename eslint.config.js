import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { layers } from './layers.mjs';

const layerRules = Object.entries(layers).map(([lib, allowed]) => ({
  files: [`libs/${lib}/**/*.ts`],
  ignores: ['**/*.spec.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^#(?!(${['$never', ...allowed].join('|')})$)`,
            message: `${lib} may import: ${allowed.join(', ') || 'nothing'}`,
          },
          ...(lib === 'platform' ? [] : [{ regex: '^@nestjs/', message: 'Nest lives in apps and platform' }]),
        ],
      },
    ],
  },
}));

/** Core code gets clock, ids, randomness and settings as parameters. */
const ambient = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: 'take the clock as a parameter' },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'take randomness as a parameter',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take the clock as a parameter' },
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'settings come from libs/platform',
  },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'data/**', 'coverage/**', 'apps/console/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['libs/**/*.ts'],
    ignores: ['libs/platform/**', '**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', ...ambient] },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      // expect.any() and friends are typed any by Jest
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
  ...layerRules,
);
