import type { AccountCommand } from '../../src/domain/account/decide.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { EMPTY_STREAM } from '../../src/eventstore/event-store.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import { encode } from '../../src/eventstore/journal/codec.ts';
import {
  acceptTerms,
  customer,
  issueKey,
  keyIssued,
  register,
  topUp,
  toppedUp,
} from '../../test/domain/account/examples.ts';
import { metadataOf } from '../../test/eventstore/nodes.ts';

/** Written directly to the log, in one append, with their own command ids. */
export const openAccounts = async (
  store: ChainedLog,
  streams: readonly string[],
  credits: bigint,
  name: string,
): Promise<Map<string, AccountCommand>> => {
  const asked = [register(), acceptTerms(), issueKey(), issueKey('key_2')];
  const happened = [...customer, keyIssued('key_2')];
  if (credits > 0n) {
    asked.push(topUp(credits, 'lot_0'));
    happened.push(toppedUp(credits, 'lot_0'));
  }
  const commands = new Map<string, AccountCommand>();
  const slices = streams.map((stream, s) => ({
    stream,
    expected: EMPTY_STREAM,
    events: happened.map((event, n) => {
      const metadata = metadataOf(`${name}/open/${s}/${n}`);
      const command = asked[n];
      if (command) commands.set(metadata.commandId, command);
      return encode(event, eventId(metadata.commandId, 0), metadata);
    }),
  }));
  await store.append(slices);
  return commands;
};
