import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documents, type TermsDocument, type TermsEvent } from '../../../src/domain/terms/events.ts';
import { termsInForce } from '../../../src/domain/terms/in-force.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import { termsDecider, type Terms, type TermsCommand } from '../../../src/domain/terms/terms.ts';

const SECOND = 1000;
/** The age at which a node accepts no completions any more. */
const OLDEST_COPY_MS = 30 * SECOND;
/** How far the clock of a node may be off; the readiness of a node fails beyond. */
const OFF_MS = 10 * SECOND;
const START = Date.parse('2026-12-01T00:00:00Z');

type Sent = {
  /** Since the command before. */
  readonly afterMs: number;
  readonly offMs: number;
  readonly kind: 'publish' | 'withdraw';
  readonly document: TermsDocument;
  /** Relative to the number of the command: 0 is newer than all before. */
  readonly version: number;
  readonly text: number;
  readonly significant: boolean;
  /** Relative to the clock of the node; undefined for none. */
  readonly aheadMs: number | undefined;
};

const sent: fc.Arbitrary<Sent> = fc.record({
  afterMs: fc.oneof(...[3 * SECOND, 70 * SECOND, 2 * NOTICE_MS].map((max) => fc.integer({ min: 0, max }))),
  offMs: fc.integer({ min: -OFF_MS, max: OFF_MS }),
  kind: fc.constantFrom('publish', 'publish', 'withdraw'),
  document: fc.constantFrom('terms', ...documents),
  version: fc.constantFrom(0, 0, -1, -2),
  text: fc.integer({ min: 0, max: 1 }),
  significant: fc.boolean(),
  aheadMs: fc.option(
    fc.oneof(
      fc.integer({ min: -SECOND, max: 150 * SECOND }),
      fc.integer({ min: MIN_AHEAD_MS - SECOND, max: MIN_AHEAD_MS + 3 * SECOND }),
      fc.integer({ min: NOTICE_MS - SECOND, max: NOTICE_MS + 90 * SECOND }),
    ),
    { nil: undefined },
  ),
});

const versionOf = (n: number): string => `2026-12-${String(Math.max(n, 0) + 10)}`;

const commandOf = (one: Sent, n: number, at: Date): TermsCommand => {
  const { document, kind, text, significant, aheadMs } = one;
  const version = versionOf(n + (kind === 'withdraw' ? Math.min(one.version, -1) : one.version));
  if (kind === 'withdraw') return { type: 'WithdrawTerms', document, version, reason: 'a mistake', at };
  const effectiveAt = aheadMs === undefined ? null : new Date(at.getTime() + aheadMs);
  return {
    ...{ type: 'PublishTerms', document, version, sha256: `text ${text}`, summary: '', significant, effectiveAt, at },
  };
};

type Written = { readonly event: TermsEvent; readonly atMs: number };

/** The log that the commands lead to. Each is decided on the whole log, because an append is refused otherwise. */
const logOf = (all: readonly Sent[]): readonly Written[] => {
  const log: Written[] = [];
  // Each document has a version, as after every start.
  for (const document of documents) {
    const effect = { summary: '', significant: false, effectiveAt: null };
    const event: TermsEvent = { type: 'TermsPublished', document, version: '2026-11-30', sha256: 'first', ...effect };
    log.push({ event, atMs: START });
  }
  let atMs = START + OLDEST_COPY_MS;
  for (const [n, one] of all.entries()) {
    atMs += one.afterMs;
    const decision = termsDecider.decide(commandOf(one, n, new Date(atMs + one.offMs)), stateOf(log));
    if (decision.kind === 'accepted') for (const event of decision.events) log.push({ event, atMs });
  }
  return log;
};

const stateOf = (log: readonly Written[]): Terms =>
  log.reduce((terms, { event }) => termsDecider.evolve(terms, event), termsDecider.initial());

const inForce = (log: readonly Written[], at: number): readonly unknown[] =>
  documents.map((document) => {
    const found = termsInForce(stateOf(log), document, new Date(at));
    return found && [found.version, found.sha256];
  });

/** The times at which something could change: every effect and every event, and a moment before and after. */
const timesOf = (log: readonly Written[]): readonly number[] =>
  log.flatMap(({ event, atMs }) => {
    const effect = event.type === 'TermsPublished' ? event.effectiveAt?.getTime() : undefined;
    return [atMs, ...(effect === undefined ? [] : [effect])].flatMap((at) => [at - 1, at, at + OLDEST_COPY_MS - 1]);
  });

describe('two nodes whose clocks differ by seconds', () => {
  it('agree about what is in force at every time, if their copies of the log are at most 30 s old', () => {
    let changed = 0;
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 12 }), (all) => {
        const log = logOf(all);
        changed += log.length - documents.length;
        for (const at of timesOf(log)) {
          const now = log.filter(({ atMs }) => atMs <= at);
          if (now.length === 0) continue;
          const certain = log.filter(({ atMs }) => atMs <= at - OLDEST_COPY_MS).length;
          const expected = inForce(now, at);
          for (let read = Math.max(certain, documents.length); read < now.length; read++) {
            expect(inForce(now.slice(0, read), at)).toEqual(expected);
          }
        }
      }),
      { numRuns: 600 },
    );
    expect(changed, 'events were written').toBeGreaterThan(300);
  });

  it('never change a text under its version, nor anything else that was announced', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 20 }), (all) => {
        const events = logOf(all).map(({ event }) => event);
        const announced = events.flatMap((event) =>
          event.type === 'TermsPublished' ? [`${event.document} ${event.version}`] : [],
        );
        expect(new Set(announced).size).toBe(announced.length);
      }),
      { numRuns: 300 },
    );
  });

  it('have states that differ only by the position up to which they have read the log', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 12 }), fc.nat(), (all, n) => {
        const log = logOf(all);
        const read = n % (log.length + 1);
        const behind = stateOf(log.slice(0, read));
        const rest = log.slice(read).reduce((terms, { event }) => termsDecider.evolve(terms, event), behind);
        expect(rest).toEqual(stateOf(log));
      }),
      { numRuns: 100 },
    );
  });
});
