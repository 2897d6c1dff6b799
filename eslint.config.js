import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { folders as notYetPlain } from './eslint/not-yet-plain.ts';
import plainWords from './eslint/plain-words.ts';

// Rules that catch bugs (a lost promise in money code is lost money), and one for plain words. Prettier decides the layout.
export default defineConfig(
  { ignores: ['node_modules', '.kissapi*'] },
  eslint.configs.recommended,
  tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  { ignores: notYetPlain, plugins: { local: plainWords }, rules: { 'local/plain-words': 'error' } },
);
