import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { LimitFacts } from '../../domain/account/limits/within-limits.ts';
import { formatUsd } from '../../domain/money.ts';
import { problem, type Problem } from '../server/problems.ts';

const subject = { key: 'This API key', account: 'This account' } as const;
const amount = (count: number): string => count.toLocaleString('en-US');
const many = (count: number, one: string): string => `${amount(count)} ${count === 1 ? one : `${one}s`}`;

/** `1 output token`, `20 output tokens`; without separators, so that it can be copied into a request. */
export const outputTokens = (count: number): string => `${count} output ${count === 1 ? 'token' : 'tokens'}`;

/** The problem of a completion that exceeds a limit of its key or account. */
export const limitProblem = (
  code: AccountRefusal['code'],
  facts: LimitFacts,
  affordableTokens: number | undefined,
): Problem => {
  switch (facts.of) {
    case 'concurrency':
      return problem(code, {
        message: `${subject[facts.scope]} may have ${many(facts.limit, 'request')} in progress at once, and that limit is reached. Try again when one has ended.`,
      });
    case 'requests':
    case 'tokens':
      return paceProblem(code, facts);
    case 'spending':
      return problem(code, {
        message:
          spendingMessage(facts, affordableTokens) +
          (code === 'limit_held_by_concurrent_requests' ? ' Try again when they have ended.' : ''),
      });
  }
};

type Facts<Of extends LimitFacts['of']> = Extract<LimitFacts, { readonly of: Of }>;

/** Both official SDKs ignore a wait of a minute or more and retry within seconds instead. */
export const LONGEST_WAIT_MS = 59_000;

const paceProblem = (code: AccountRefusal['code'], facts: Facts<'requests' | 'tokens'>): Problem => {
  const { of, limit, used, needed, retryAfterMs } = facts;
  const rule = `${subject[facts.scope]} may use ${many(limit, of === 'tokens' ? 'token' : 'request')} per minute`;
  if (retryAfterMs === null) {
    const { retryAfterMs: _, ...never } = problem(code, { shouldRetry: false });
    return {
      ...never,
      message: `This request may use up to ${many(needed, of === 'tokens' ? 'token' : 'request')}. ${rule}, so it can never be accepted: lower max_tokens, or send less.`,
    };
  }
  const estimate = of === 'tokens' ? ` This request may use up to ${amount(needed)}.` : '';
  const seconds = Math.ceil(retryAfterMs / 1000);
  return problem(code, {
    message: `${rule}, and ${amount(used)} ${used === 1 ? 'counts' : 'count'} in the last minute.${estimate} Try again in ${seconds} s.`,
    retryAfterMs: Math.min(retryAfterMs, LONGEST_WAIT_MS),
  });
};

const windows = { day: 'per day', month: 'per month', total: 'in total' } as const;

const spendingMessage = (facts: Facts<'spending'>, affordableTokens: number | undefined): string => {
  const [limit, spent, held, needed] = [facts.limit, facts.spent, facts.held, facts.needed].map(formatUsd);
  const reset = facts.resetsAt === null ? '' : ` It resets at ${new Date(facts.resetsAt).toISOString()}.`;
  const advice =
    affordableTokens !== undefined && affordableTokens > 0
      ? ` The rest pays for at most ${outputTokens(affordableTokens)}: lower max_tokens.`
      : '';
  return (
    `This request may cost up to $${needed}. ${subject[facts.scope]} may spend $${limit} ${windows[facts.window]}: ` +
    `$${spent} is spent, and $${held} is held by concurrent requests.${reset}${advice}`
  );
};
