import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { LimitFacts } from '../../domain/account/within-limits.ts';
import { formatUsd } from '../../domain/money.ts';
import { problem, type Problem } from '../server/problems.ts';

const whose = { key: 'This API key', account: 'This account' } as const;
const amount = (count: number): string => count.toLocaleString('en-US');
const many = (count: number, one: string): string => `${amount(count)} ${count === 1 ? one : `${one}s`}`;

/** Of a limit that would do, as it can be copied into a request. */
export const outputTokens = (count: number): string => `${count} output ${count === 1 ? 'token' : 'tokens'}`;

/** A limit that is in the way of a completion, in the words of the one who asked for it. */
export const limitProblem = (
  code: AccountRefusal['code'],
  facts: LimitFacts,
  affordableTokens: number | undefined,
): Problem => {
  switch (facts.of) {
    case 'concurrency':
      return problem(code, {
        message: `${whose[facts.scope]} may have ${many(facts.limit, 'request')} under way at once, and has. Try again when one has ended.`,
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

/** Both official SDKs heed no wait of a minute or more, and would ask again within seconds instead. */
export const LONGEST_WAIT_MS = 59_000;

const paceProblem = (code: AccountRefusal['code'], facts: Facts<'requests' | 'tokens'>): Problem => {
  const { of, limit, used, needed, retryAfterMs } = facts;
  const may = `${whose[facts.scope]} may use ${many(limit, of === 'tokens' ? 'token' : 'request')} a minute`;
  if (retryAfterMs === null) {
    const { retryAfterMs: _, ...never } = problem(code, { shouldRetry: false });
    return {
      ...never,
      message: `This request may come to ${many(needed, of === 'tokens' ? 'token' : 'request')}. ${may}, so it can never be let through: lower max_tokens, or send less.`,
    };
  }
  const asks = of === 'tokens' ? ` This request may come to ${amount(needed)}.` : '';
  const seconds = Math.ceil(retryAfterMs / 1000);
  return problem(code, {
    message: `${may}, and ${amount(used)} ${used === 1 ? 'counts' : 'count'} in the last one.${asks} Try again in ${seconds} s.`,
    retryAfterMs: Math.min(retryAfterMs, LONGEST_WAIT_MS),
  });
};

const windows = { day: 'a day', month: 'a month', total: 'in total' } as const;

const spendingMessage = (facts: Facts<'spending'>, affordableTokens: number | undefined): string => {
  const [limit, spent, held, needed] = [facts.limit, facts.spent, facts.held, facts.needed].map(formatUsd);
  const reset = facts.resetsAt === null ? '' : ` It begins anew at ${new Date(facts.resetsAt).toISOString()}.`;
  const advice =
    affordableTokens !== undefined && affordableTokens > 0
      ? ` What is left pays for at most ${outputTokens(affordableTokens)}: lower max_tokens.`
      : '';
  return (
    `This request may cost up to $${needed}. ${whose[facts.scope]} may spend $${limit} ${windows[facts.window]}: ` +
    `$${spent} is spent, and $${held} is held by other requests under way.${reset}${advice}`
  );
};
