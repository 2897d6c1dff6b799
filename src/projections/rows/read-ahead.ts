import { decodeFact, type Fact } from '../../eventstore/journal/codec.ts';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import type { Projection } from '../projection.ts';
import type { Range } from './rows.ts';

export type Batch = Range & { readonly events: readonly Fact[] };

/** Large, so that most requests start and end in one batch, and their rows are written once. */
const BATCH = 10_000;

/** The events of a projection in a range of the log, in order. The next batch is read and decoded while one is applied. */
export async function* readAhead(
  store: Pick<ChainedLog, 'readFacts'>,
  projection: Projection,
  { after, upTo }: Range,
): AsyncGenerator<Batch> {
  const read = (from: number): Promise<Batch> => {
    const batch = readBatch(store, projection, { after: from, upTo: Math.min(from + BATCH, upTo) });
    batch.catch(() => undefined); // Awaited below, unless the batch before it fails.
    return batch;
  };
  if (after >= upTo) return;
  for (let next = read(after); ;) {
    const batch = await next;
    if (batch.upTo < upTo) next = read(batch.upTo);
    yield batch;
    if (batch.upTo >= upTo) return;
  }
}

const readBatch = async (
  store: Pick<ChainedLog, 'readFacts'>,
  { name, types }: Projection,
  { after, upTo }: Range,
): Promise<Batch> => {
  const page = await store.readFacts(after, upTo - after);
  const last = page.at(-1);
  if (!last) throw new Error(`the rows of ${name} are at event ${upTo}, and the log ends at ${after}`);
  const wanted: ReadonlySet<string> | undefined = types;
  const events = (wanted ? page.filter(({ type }) => wanted.has(type)) : page).map(decodeFact);
  return { events, after, upTo: last.position };
};
