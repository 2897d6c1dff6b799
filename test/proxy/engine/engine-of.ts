import { formats } from '../../../src/gateway/providers.ts';
import type { CompletionsOptions } from '../../../src/proxy/engine/completion.ts';
import { createCompletions, type Completions } from '../../../src/proxy/engine/completions.ts';
import type { Provider } from '../../../src/proxy/providers/provider.ts';
import { countWords, like, price } from '../examples.ts';
import type { TestAccount } from './account.ts';

/** The engine over these providers, by their names, on an account in memory. `test` is the provider of the model m. */
export const engineOf = (
  account: TestAccount,
  providers: Readonly<Record<string, Provider>>,
  more: Partial<CompletionsOptions> = {},
): Completions =>
  createCompletions({
    ...{ formats, providers: new Map(Object.entries(providers)), findPrice: () => ({ ...price, ...like('gpt-4o') }) },
    ...{ execute: account.execute, recordedBy: () => Promise.resolve(undefined), idempotencySecret: 's' },
    ...{ promptTokens: countWords, tokens: countWords, runId: () => 'run', now: () => new Date(0) },
    ...{ idleTimeoutMs: 60_000, upstreamRefused: () => undefined, isPaused: () => false },
    logCopy: { isRecent: () => true, confirm: () => Promise.resolve(true) },
    ...more,
  });
