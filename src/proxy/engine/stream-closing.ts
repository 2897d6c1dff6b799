import { formatUsd, jsonUsd } from '../../domain/money.ts';
import { isShortage, type Shortage } from './allowance.ts';
import { TOO_LONG, type Call, type Settlement } from './call.ts';
import { asList, field } from '../json/untyped-json.ts';
import { withoutNull, type StreamMeter } from '../metering/meter.ts';

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

const chunkOf = ({ request, generationId, askedAt }: Call, meter: StreamMeter): Readonly<Record<string, unknown>> => ({
  id: meter.metered().upstreamId ?? generationId,
  object: request.endpoint === '/completions' ? 'text_completion' : 'chat.completion.chunk',
  created: Math.floor(askedAt.getTime() / 1000),
  model: request.model,
});

export const usageEvent = (call: Call, meter: StreamMeter, { usage, charged }: Settlement): string =>
  event({
    ...(meter.usageChunk ?? { ...chunkOf(call, meter), choices: [] }),
    usage: { ...usage, cost: jsonUsd(charged), cost_usd: formatUsd(charged) },
  });

/**
 * An answer that came whole to who asked for a stream. Its readers take no JSON for one: the SDKs would read nothing at
 * all, of what was paid for.
 */
export const eventsOfWhole = ({ request }: Call, body: string): string => {
  const { choices, usage, ...rest } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const answer = withoutNull(rest, 'system_fingerprint');
  const object = request.endpoint === '/completions' ? 'text_completion' : 'chat.completion.chunk';
  const said = event({ ...answer, object, choices: asList(choices).map(streamedChoice) });
  const told = request.includeUsage ? event({ ...answer, object, choices: [], usage: exact(usage) }) : '';
  return `${said}${told}data: [DONE]\n\n`;
};

/** The cost was read as a float, and is written from its text. */
const exact = (usage: unknown): unknown => ({
  ...(usage as object),
  cost: JSON.rawJSON(String(field(usage, 'cost_usd'))),
});

const streamedChoice = (choice: unknown): unknown => {
  const message = field(choice, 'message');
  if (typeof choice !== 'object' || typeof message !== 'object') return choice;
  const calls = asList(field(message, 'tool_calls')).map((call, index) => ({ index, ...(call as object) }));
  const { message: _, ...rest } = choice as Readonly<Record<string, unknown>>;
  return { ...rest, delta: { ...message, ...(calls.length > 0 ? { tool_calls: calls } : {}) } };
};

const shortages: Readonly<Record<Shortage, { readonly code: string; readonly message: string }>> = {
  key_limit_exceeded: {
    code: 'key_limit_exceeded',
    message: 'This API key has reached its spending limit, so the answer ends here.',
  },
  account_limit_exceeded: {
    code: 'account_limit_exceeded',
    message: 'This account has reached its spending limit, so the answer ends here.',
  },
  limit_held_by_concurrent_requests: {
    code: 'limit_held_by_concurrent_requests',
    message: 'The rest of the spending limit is held by other requests under way, so the answer ends here.',
  },
  insufficient_credits: {
    code: 'credit_balance_exhausted',
    message: 'Your credit ran out, so the answer ends here. Top up, and ask for the rest.',
  },
  credits_held_by_concurrent_requests: {
    code: 'credits_held_by_concurrent_requests',
    message: 'The rest of your credit is held by other requests under way, so the answer ends here.',
  },
};

export const shortageError = (shortage: Shortage) => ({
  ...shortages[shortage],
  type: 'insufficient_quota',
  param: null,
});

const tooLong = {
  code: 'stream_too_long',
  message: 'The stream took longer than any may, so the answer ends here.',
  type: 'upstream_error',
  param: null,
};

/**
 * The end of each choice that had not ended where a stream was cut: as an answer that reached its limit ends. Where it was
 * credits that ended it, both SDKs would raise on an `error` at the top of a chunk, and whoever gathers an answer would
 * lose the text that was paid for; so the reason stands in a field of our own, which they pass on and do not mind.
 */
export const cutEvents = (call: Call, meter: StreamMeter): string => {
  const { request, generationId, cancelled } = call;
  const error = isShortage(cancelled) ? shortageError(cancelled) : cancelled === TOO_LONG && tooLong;
  const said = request.endpoint === '/completions' ? { text: '', logprobs: null } : { delta: {} };
  // Once for all choices: a meter goes through all that was said to tell of it.
  const [chunk, { finished }] = [chunkOf(call, meter), meter];
  return Array.from({ length: request.choices }, (_, index) => index)
    .filter((index) => !finished.has(index))
    .map((index) =>
      event({
        ...chunk,
        choices: [{ index, ...said, finish_reason: 'length' }],
        ...(error ? { kissapi: { generation_id: generationId, error } } : {}),
      }),
    )
    .join('');
};
