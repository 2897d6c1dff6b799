import type { AccountRefusal } from '../../src/domain/account/decide.ts';
import type { Limits } from '../../src/domain/account/limits/limits.ts';

/** One request, in all that limits ask of it. */
type Entry = {
  readonly requestId: string;
  readonly keyId: string;
  /** Not known of old ones. */
  readonly at: number | undefined;
  /** What it counts in a minute: when it was placed, then at each step. */
  readonly steps: Step[];
  held: bigint;
  spent: bigint;
  open: boolean;
};

type Step = { readonly at: number | undefined; readonly requests: number; tokens: number };

type Scope = {
  readonly name: 'key' | 'account';
  limits: Limits;
  /** Those that count by the minute: all since there was such a limit first, and first and last of what was under way then. */
  counted: Set<Step> | undefined;
  readonly entries: Entry[];
  /** The days and months that were begun, in order. */
  readonly pages: Record<'day' | 'month', string[]>;
};

export type Asked = {
  readonly keyId: string;
  readonly at: number;
  readonly model: string;
  readonly tokens: number;
  readonly amount: bigint;
};

/**
 * Limits kept a second time, as plainly as can be: every request is remembered for ever, and all that counts is summed up
 * anew at each question. Nothing is borrowed from the domain.
 */
export const openLimitBooks = () => {
  const account = newScope('account');
  const keys = new Map<string, Scope>();
  let newest = 0;

  const scopesOf = (keyId: string): readonly Scope[] => {
    const key = keys.get(keyId) ?? newScope('key');
    keys.set(keyId, key);
    return [key, account];
  };

  /** For each key the one that was issued in its place. */
  const replacedBy = new Map<string, string>();
  /** Where a key's requests count: also for the keys in its place, one after another. */
  const countedIn = (keyId: string): readonly Scope[] => {
    const next = replacedBy.get(keyId);
    return next === undefined ? scopesOf(keyId) : [...scopesOf(keyId).slice(0, 1), ...countedIn(next)];
  };

  /** The limits that a request of a key must fit: also those of the keys in its place, but for what concerns them alone. */
  const limiting = (keyId: string): readonly Scope[] => {
    const own = scopesOf(keyId);
    const [, ...following] = countedIn(keyId).slice(0, -1);
    return [
      ...own.slice(0, 1),
      ...following.map((scope) => {
        const { models: _models, expiresAt: _end, ...limits } = scope.limits;
        return { ...scope, limits };
      }),
      ...own.slice(1),
    ];
  };

  const setLimits = (scope: Scope, limits: Limits): void => {
    const { requestsPerMinute, tokensPerMinute } = limits;
    if (!scope.counted && (requestsPerMinute !== undefined || tokensPerMinute !== undefined)) {
      const open = scope.entries.filter((entry) => entry.open);
      scope.counted = new Set(open.flatMap(({ steps }) => [...steps.slice(0, 1), ...steps.slice(-1)]));
    }
    scope.limits = limits;
  };

  const enter = (entry: Entry): void => {
    for (const scope of countedIn(entry.keyId)) {
      scope.entries.push(entry);
      for (const window of ['day', 'month'] as const) {
        const pages = scope.pages[window];
        const page = entry.at === undefined ? '' : nameOf(window, entry.at);
        if (page > (pages.at(-1) ?? '')) pages.push(page);
      }
    }
    for (const step of entry.steps) count(entry.keyId, step);
  };

  const count = (keyId: string, step: Step): void => {
    newest = Math.max(newest, step.at ?? 0);
    for (const { counted } of countedIn(keyId)) counted?.add(step);
  };

  const openEntry = (requestId: string): Entry | undefined =>
    account.entries.find((entry) => entry.requestId === requestId && entry.open);

  return {
    /** Time does not go back. */
    timeOf: (at: number): number => Math.max(at, newest),
    limitsOf: (keyId: string): Limits => keys.get(keyId)?.limits ?? {},
    limitsOfAccount: (): Limits => account.limits,
    setKeyLimits: (keyId: string, limits: Limits): void =>
      scopesOf(keyId)
        .slice(0, 1)
        .forEach((key) => setLimits(key, limits)),
    setAccountLimits: (limits: Limits): void => setLimits(account, limits),
    replace: (keyId: string, by: string): void => {
      const [{ counted, entries, pages } = newScope('key')] = scopesOf(keyId);
      replacedBy.set(keyId, by);
      keys.set(by, {
        ...newScope('key'),
        counted: counted && new Set(counted),
        entries: [...entries],
        pages: { day: [...pages.day], month: [...pages.month] },
      });
    },

    reserve: ({ tokens, ...entry }: Pick<Entry, 'requestId' | 'keyId' | 'at' | 'held'> & { tokens: number }): void =>
      enter({ ...entry, steps: [{ at: entry.at, requests: 1, tokens }], spent: 0n, open: true }),
    extend: (requestId: string, by: bigint, at: number | undefined, tokens = 0): void => {
      const entry = openEntry(requestId);
      if (!entry) return;
      entry.held += by;
      if (at === undefined) return;
      const step = { at, requests: 0, tokens };
      entry.steps.push(step);
      count(entry.keyId, step);
    },
    /** What counted too much is taken from the last step, then from the first; what is lacking is added to the last. */
    end: (requestId: string, charged: bigint, tokens: number): void => {
      const entry = openEntry(requestId);
      if (!entry) return;
      Object.assign(entry, { held: 0n, spent: charged, open: false });
      const counted = entry.steps.reduce((sum, step) => sum + step.tokens, 0);
      const [last, first] = [entry.steps.at(-1), entry.steps[0]];
      if (last) last.tokens += Math.max(0, tokens - counted);
      let tooMany = Math.max(0, counted - tokens);
      for (const step of [last, first]) {
        const part = Math.min(tooMany, step?.tokens ?? 0);
        if (step) step.tokens -= part;
        tooMany -= part;
      }
    },
    late: ({ tokens, ...entry }: Pick<Entry, 'requestId' | 'keyId' | 'at' | 'spent'> & { tokens: number }): void =>
      enter({ ...entry, steps: [{ at: entry.at, requests: 0, tokens }], held: 0n, open: false }),

    /** How much of `credits` the limits on spending leave to a request placed at a time. */
    within: (keyId: string, at: number | undefined, credits: bigint): bigint =>
      atLeastNothing(roomsOf(limiting(keyId), at).reduce((most, { left }) => (left < most ? left : most), credits)),
    /** The same, if no other request held anything; `own` is what the request holds already. */
    withoutOthers: (keyId: string, at: number | undefined, own: bigint, credits: bigint): bigint =>
      atLeastNothing(
        roomsOf(limiting(keyId), at)
          .map(({ left, held }) => left + atLeastNothing(held - own))
          .reduce((most, room) => (room < most ? room : most), credits),
      ),
    atOf: (requestId: string): number | undefined => openEntry(requestId)?.at,
    keyOf: (requestId: string): string => openEntry(requestId)?.keyId ?? '',

    hasExpired: (keyId: string, at: number): boolean =>
      scopesOf(keyId).some(({ limits: { expiresAt } }) => expiresAt !== undefined && at >= Date.parse(expiresAt)),
    expiredOrForbidden: ({ keyId, at, model }: Asked): AccountRefusal['code'] | undefined => {
      const scopes = scopesOf(keyId);
      if (scopes.some(({ limits: { expiresAt } }) => expiresAt !== undefined && at >= Date.parse(expiresAt))) {
        return 'key_expired';
      }
      return scopes.some(({ limits: { models } }) => models && !models.includes(model))
        ? 'model_not_allowed'
        : undefined;
    },
    tooMany: ({ keyId, at, tokens }: Asked): AccountRefusal['code'] | undefined => {
      const scopes = limiting(keyId);
      const crowded = scopes.some(
        ({ limits, entries }) => entries.filter(({ open }) => open).length >= (limits.concurrentRequests ?? Infinity),
      );
      if (crowded) return 'concurrency_limit_exceeded';
      const fast = scopes.some((scope) => {
        const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = scope.limits;
        return (
          inMinute(scope, 'requests', at) + 1 > requestsPerMinute ||
          inMinute(scope, 'tokens', at) + tokens > tokensPerMinute
        );
      });
      return fast ? 'rate_limit_exceeded' : undefined;
    },
    /** `own` is what the request holds already. */
    tooDear: (
      { keyId, at, amount }: Pick<Asked, 'keyId' | 'amount'> & { readonly at: number | undefined },
      own: bigint,
      free: bigint,
      withoutHolds: bigint,
    ): AccountRefusal | undefined => {
      const rooms = roomsOf(limiting(keyId), at);
      const broken = rooms
        .filter(({ left }) => amount > left)
        .map((room) => ({ ...room, byOthers: room.held > own ? room.held - own : 0n }));
      const final = broken.find(({ left, byOthers }) => amount > left + byOthers);
      const worst = final ?? broken[0];
      if (!worst) return undefined;
      const available = rooms.reduce((most, { left }) => (left < most ? left : most), free);
      return {
        code: final ? `${final.scope}_limit_exceeded` : 'limit_held_by_concurrent_requests',
        funds: { needed: amount, available: atLeastNothing(available), held: worst.byOthers, withoutHolds },
      };
    },
    /** Every promise of the limits, at the moment when a request has been let in. */
    check: (keyId: string, at: number): string | undefined => {
      for (const { name, limits, entries, counted } of limiting(keyId)) {
        const open = entries.filter((entry) => entry.open).length;
        if (open > (limits.concurrentRequests ?? Infinity)) return `the ${name} has more under way than it may`;
        const minute = [...(counted ?? [])].filter((step) => step.at !== undefined && step.at > at - 60_000);
        const requests = minute.reduce((sum, step) => sum + step.requests, 0);
        if (requests > (limits.requestsPerMinute ?? Infinity)) return `the ${name} asks more in a minute than it may`;
        const tokens = minute.reduce((sum, step) => sum + step.tokens, 0);
        if (tokens > (limits.tokensPerMinute ?? Infinity)) return `the ${name} uses more tokens a minute than it may`;
      }
      return undefined;
    },
  };
};

const atLeastNothing = (amount: bigint): bigint => (amount < 0n ? 0n : amount);

export type LimitBooks = ReturnType<typeof openLimitBooks>;

const newScope = (name: Scope['name']): Scope => ({
  name,
  limits: {},
  counted: undefined,
  entries: [],
  pages: { day: [], month: [] },
});

/** `2026-01-31` and `2026-01`: texts that sort as time does. */
const nameOf = (window: 'day' | 'month', at: number): string =>
  new Date(at).toISOString().slice(0, window === 'day' ? 10 : 7);

const roomsOf = (scopes: readonly Scope[], at: number | undefined) =>
  scopes.flatMap(({ name: scope, limits, entries, pages }) =>
    (['total', 'month', 'day'] as const).flatMap((window) => {
      const limit = limits.spending?.[window];
      if (limit === undefined || (at === undefined && window !== 'total')) return [];
      if (window !== 'total') {
        // What was before the last two pages is closed.
        const page = nameOf(window, at ?? 0);
        if (page <= (pages[window].at(-1) ?? '') && !pages[window].slice(-2).includes(page)) {
          return [{ scope, left: 0n, held: 0n }];
        }
      }
      const own = entries.filter(
        (entry) =>
          window === 'total' || (entry.at !== undefined && nameOf(window, entry.at) === nameOf(window, at ?? 0)),
      );
      const held = own.reduce((sum, entry) => sum + entry.held, 0n);
      return [{ scope, held, left: limit - held - own.reduce((sum, entry) => sum + entry.spent, 0n) }];
    }),
  );

/** Twenty whole buckets of three seconds, and the one that has begun. */
const inMinute = ({ counted }: Scope, what: 'requests' | 'tokens', at: number): number =>
  [...(counted ?? [])]
    .filter((step) => step.at !== undefined && Math.floor(step.at / 3000) > Math.floor(at / 3000) - 21)
    .reduce((sum, step) => sum + step[what], 0);
