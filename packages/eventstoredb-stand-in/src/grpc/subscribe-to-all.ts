import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { forwardsFrom, readPage } from '../log/read-all.ts';
import type { Filter } from '../log/read-all.ts';
import { handlerFailed } from './errors.ts';
import { createDelivery } from './live.ts';
import type { PositionChoice, ReadCall } from './read.ts';
import type { ServerState } from './server-state.ts';
import { checkpoint, eventResponse } from './wire.ts';

const DEFAULT_WINDOW = 32;

/** Filter and checkpoints of a subscription. Without a filter there are no checkpoints. */
type Selection = { readonly filter: Filter; readonly window: number; readonly checkpointEvery: number };

const selectionOf = (options: ReadReq.Options.FilterOptions | undefined): Selection => {
  if (!options) return { filter: () => true, window: Infinity, checkpointEvery: Infinity };
  const ofStream = options.getStreamIdentifier();
  const expression = ofStream ?? options.getEventType();
  const multiplier = options.getCheckpointintervalmultiplier();
  if (!expression || multiplier === 0) throw handlerFailed();
  const regex = expression.getRegex() ? new RegExp(expression.getRegex()) : undefined;
  const prefixes = expression.getPrefixList();
  const filter: Filter = (event) => {
    const text = ofStream ? event.stream : event.type;
    return regex ? regex.test(text) : prefixes.some((prefix) => text.startsWith(prefix));
  };
  const window = options.hasMax() ? options.getMax() : DEFAULT_WINDOW;
  return { filter, window, checkpointEvery: multiplier * window };
};

/** The index of the first record to deliver: after the first event at or after a position. */
const indexAfter = ({ log }: ServerState, choice: PositionChoice): number => {
  if (choice === 'end') return log.records.length;
  if (choice === 'start' || choice.commit === 0) return 0;
  const from = forwardsFrom(log, choice.commit);
  if (from === undefined) throw handlerFailed();
  for (let at = from; at < log.records.length; at += 1) if (log.records[at]?.event) return at + 1;
  return from;
};

export const subscribeToAll = async (
  state: ServerState,
  call: ReadCall,
  choice: PositionChoice,
  options: ReadReq.Options.FilterOptions | undefined,
): Promise<void> => {
  const { log } = state;
  const { filter, window, checkpointEvery } = selectionOf(options);
  let next = indexAfter(state, choice);
  let seen = 0;
  const delivery = createDelivery(state, call);
  delivery.confirm();
  while (!delivery.isOver()) {
    const page = readPage(log, next, filter, window);
    const start = log.records[next]?.position ?? log.end();
    next = page.next;
    seen += page.considered;
    for (const event of page.events) await delivery.send(eventResponse(event));
    if (page.isEnd && next === log.records.length) break;
    if (seen < checkpointEvery || page.isEnd) continue;
    seen %= checkpointEvery;
    const last = page.events.at(-1)?.position;
    // A page without a match reports where it began, as the position after the event before it.
    await delivery.send(last === undefined ? checkpoint(start, 0) : checkpoint(last, last));
  }
  delivery.goLive((event) => {
    if (filter(event)) delivery.sendLive(eventResponse(event));
    seen += 1;
    if (seen < checkpointEvery) return;
    seen = 0;
    delivery.sendLive(checkpoint(event.position, event.position));
  });
};
