import { hash } from 'node:crypto';
import type pg from 'pg';
import { contentHash } from '../../integrity/chain.ts';
import { bigints, hashes, hexBytes, smallints, texts, uuids, arrayText } from '../../postgres/pg-arrays.ts';
import { asStoreFault } from '../../postgres/log-reads.ts';
import type { CommittedEvent } from '../connection/envelope.ts';

export type Copied =
  | { readonly kind: 'copied' }
  /** The head of the copy is elsewhere: it must be read again. */
  | { readonly kind: 'moved' }
  /** The events do not follow those of the copy. `what` names the stream and the revision. */
  | { readonly kind: 'other_history' | 'out_of_order'; readonly what: string };

/** Where the caller read the head of the copy. */
export type CopyBasis = { readonly epoch: number; readonly storePosition: number };

type Outcome = { readonly outcome: Copied['kind'] | 'known_ids'; readonly what: string | null };

/**
 * The id in the log of an event whose own id the log has already. EventStoreDB has no index of ids, so two streams can
 * have one id for a moment. It derives from both, so that the same copy is made each time.
 */
export const secondId = (id: string, stream: string): string => {
  const digest = hash('sha256', `${id}\n${stream}`, 'hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
};

/** Adds events to the copy, each once and in order. */
export const copyEvents = async (
  pool: pg.Pool,
  basis: CopyBasis,
  events: readonly CommittedEvent[],
): Promise<Copied> => {
  const broken = brokenLink(events);
  if (broken) return { kind: 'other_history', what: `${broken.stream}@${broken.revision}` };
  let unique = withUniqueIds(events, new Set());
  for (;;) {
    const { outcome, what } = await call(pool, basis, unique);
    if (outcome === 'copied' || outcome === 'moved') return { kind: outcome };
    if (outcome !== 'known_ids') return { kind: outcome, what: what ?? '' };
    const known = new Set((what ?? '').split(','));
    const renamed = withUniqueIds(unique, known);
    if (renamed.every(({ id }, n) => id === unique[n]?.id)) throw new Error(`the log has the ids ${what} already`);
    unique = renamed;
  }
};

const withUniqueIds = (events: readonly CommittedEvent[], known: ReadonlySet<string>): readonly CommittedEvent[] => {
  const seen = new Set(known);
  return events.map((event) => {
    let { id } = event;
    while (seen.has(id)) id = secondId(id, event.stream);
    seen.add(id);
    if (id === event.id) return event;
    return { ...event, id, content: contentHash({ ...event, id }, event.stream, event.revision) };
  });
};

/** The first event that does not follow the one before it in its stream. The first of each stream is compared with the copy. */
const brokenLink = (events: readonly CommittedEvent[]): CommittedEvent | undefined => {
  const ends = new Map<string, CommittedEvent>();
  return events.find((event) => {
    const before = ends.get(event.stream);
    ends.set(event.stream, event);
    return before !== undefined && (event.previous !== before.token || event.revision !== before.revision + 1);
  });
};

/** The first event of each stream. */
const firstOfStreams = (events: readonly CommittedEvent[]): readonly CommittedEvent[] => [
  ...new Map(events.toReversed().map((event) => [event.stream, event])).values(),
];

const call = async (pool: pg.Pool, basis: CopyBasis, events: readonly CommittedEvent[]): Promise<Outcome> => {
  const firsts = firstOfStreams(events);
  try {
    const { rows } = await pool.query<Outcome>({
      name: 'copy_events',
      text: `select outcome, what from copy_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
      values: [
        basis.epoch,
        basis.storePosition,
        events.at(-1)?.commit,
        texts(firsts.map(({ stream }) => stream)),
        bigints(firsts.map(({ revision }) => revision)),
        hexBytes(firsts.map(({ previous }) => previous)),
        texts(events.map(({ stream }) => stream)),
        bigints(events.map(({ revision }) => revision)),
        uuids(events.map(({ id }) => id)),
        texts(events.map(({ type }) => type)),
        smallints(events.map(({ version }) => version)),
        hashes(events.map(({ content }) => content)),
        texts(events.map(({ data }) => data)),
        texts(events.map(({ metadata }) => metadata)),
        hashes(events.map(({ token }) => token)),
        bigints(events.map(({ time }) => time.getTime())),
        arrayText(events, ({ at }) => at?.position),
      ],
    });
    return rows[0] ?? { outcome: 'moved', what: null };
  } catch (cause) {
    throw asStoreFault(cause);
  }
};
