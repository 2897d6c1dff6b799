import { isBadRequest, unsupported, type BadRequest, type Job } from '../../formats/format.ts';
import type { Conversation } from '../../formats/conversation.ts';
import { translating } from '../../formats/translating.ts';
import { unpricedCache } from '../cache-lifetimes.ts';
import type { ProviderRequest } from '../provider.ts';
import { familyOf, newest, type Family } from './families.ts';
import { contentsOf } from './write-contents.ts';
import { checkSettings, generationConfigOf, toolsOf } from './write-settings.ts';

/**
 * The tier that is priced, and no storage: Google keeps the requests of projects that were created after October 26, 2026
 * for its log unless a request refuses it.
 */
const AS_PRICED = { serviceTier: 'standard', store: false };

/** Google's cache is automatic and has no lifetimes; these are the defaults of other providers. */
const CACHE_TTLS = ['5m', '30m'];

/** Why a job cannot be carried over; undefined if it can. */
export const whyUnsupported = (job: Job): BadRequest | undefined => {
  const conversation = job.conversation();
  if (!conversation) return unsupported('model', `is not sold in the format ${job.format.name}.`);
  if (isBadRequest(conversation)) return conversation;
  if (job.choices > 1) return unsupported('n', 'must be 1 with this model.');
  const unpriced = unpricedCache(job, CACHE_TTLS);
  if (unpriced) return unpriced;
  const written = translating(() => requestOf(conversation, job, undefined, newest));
  return isBadRequest(written) ? written : undefined;
};

/** The conversation of a job that was checked. */
export const conversationOf = (job: Job): Conversation => {
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error('The job was not checked by unsupported().');
  return conversation;
};

/** The request in Google's wire format. The job was checked by `whyUnsupported`. */
export const bodyFor = ({ job, model, sold, outputCap }: ProviderRequest): Buffer => {
  const asked = job.maxOutputTokens ?? outputCap;
  // Google refuses a limit above the model's own; no answer can be longer.
  const limit = asked === undefined ? undefined : Math.min(asked, sold?.maxOutputTokens ?? asked);
  return Buffer.from(JSON.stringify(requestOf(conversationOf(job), job, limit, familyOf(model))));
};

/** The same request, for a count of its tokens. */
export const countBodyFor = ({ job, model }: Pick<ProviderRequest, 'job' | 'model'>): Buffer => {
  const request = contentOf(conversationOf(job), job, undefined, familyOf(model));
  return Buffer.from(JSON.stringify({ generateContentRequest: { model: `models/${model}`, ...request } }));
};

const requestOf = (...args: Parameters<typeof contentOf>): object => ({ ...AS_PRICED, ...contentOf(...args) });

const contentOf = (conversation: Conversation, job: Job, limit: number | undefined, family: Family): object => {
  checkSettings(job, conversation);
  return {
    ...contentsOf(conversation, family, job.format.name),
    ...toolsOf(conversation.tools, conversation.settings.toolChoice),
    generationConfig: generationConfigOf(job, conversation, family, limit),
  };
};
