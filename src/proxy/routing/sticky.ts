import { createHmac } from 'node:crypto';
import type { Job } from '../formats/format.ts';

/** The provider that answered a conversation last, so that its prompt cache is used again. */
export type Sticky = {
  find(accountId: string, job: Job): string | undefined;
  answered(accountId: string, job: Job, provider: string): void;
};

/** Providers keep a prompt in their cache for about that long. */
const KEPT_MS = 5 * 60_000;
const MAX_CONVERSATIONS = 10_000;
/** A conversation grows at its end: its first texts, such as the system prompt, stay. */
const FIRST_TEXTS = 2;
const MAX_CHARS = 4096;

/** In memory. The texts are not stored: a keyed hash of the first ones is the key. `nowMs` never goes back. */
export const createSticky = (secret: string, nowMs: () => number): Sticky => {
  const conversations = new Map<string, { readonly provider: string; readonly until: number }>();
  const keyOf = (accountId: string, job: Job): string => {
    const start = job
      .texts()
      .slice(0, FIRST_TEXTS)
      .map((text) => text.slice(0, MAX_CHARS));
    return createHmac('sha256', secret)
      .update(JSON.stringify([accountId, job.model, ...start]))
      .digest('base64');
  };
  return {
    find: (accountId, job) => {
      const found = conversations.get(keyOf(accountId, job));
      return found && found.until > nowMs() ? found.provider : undefined;
    },
    answered: (accountId, job, provider) => {
      const key = keyOf(accountId, job);
      conversations.delete(key);
      conversations.set(key, { provider, until: nowMs() + KEPT_MS });
      const [oldest] = conversations.keys();
      if (conversations.size > MAX_CONVERSATIONS && oldest !== undefined) conversations.delete(oldest);
    },
  };
};
