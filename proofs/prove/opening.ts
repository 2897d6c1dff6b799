import { evolveAccount, initialAccount } from '../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { EMPTY_STREAM } from '../../src/eventstore/event-store.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import { encode } from '../../src/eventstore/journal/codec.ts';
import { acceptTerms, issueKey, paid, register, reserve, topUp } from '../../test/domain/account/examples.ts';
import { informed } from '../../test/domain/account/refunds/informed.ts';
import { metadataOf } from '../../test/eventstore/nodes.ts';
import type { Opening } from './plan.ts';

type Done = { readonly command: AccountCommand; readonly events: readonly AccountEvent[] };

/** A failed notice of terms that are newer than those that the holder accepted. */
const failedNotice: readonly AccountCommand[] = [
  { type: 'QueueNotice', noticeId: 'ntc_2', about: { kind: 'terms', document: 'terms', version: '2026-03' } },
  { type: 'AnswerNotice', noticeId: 'ntc_2', outcome: 'failed' },
];

/** The events of the commands of an opening, in order. */
const past = ({ granted, payments, held, commands }: Opening): readonly Done[] => {
  const opening: readonly AccountCommand[] = [
    ...[register(), acceptTerms(), issueKey(), issueKey('key_2'), ...failedNotice, topUp(granted, 'lot_0')],
    ...payments.map((amount, n): AccountCommand => ({ ...paid(amount, `lot_${n + 1}`), type: 'TopUp' })),
    ...held.map((amount, n) => reserve(amount, `req_${n + 1}`)),
  ];
  const done: Done[] = [];
  let account = initialAccount();
  for (const asked of [...opening, ...commands]) {
    const command = informed(
      asked,
      done.flatMap(({ events }) => events),
    );
    const decision = decideAccount(command, account);
    if (decision.kind === 'refused' || decision.events.length === 0) continue;
    done.push({ command, events: decision.events });
    account = decision.events.reduce(evolveAccount, account);
  }
  return done;
};

/** Written directly to the log, in one append, with their own command ids. */
export const openAccounts = async (
  store: ChainedLog,
  streams: readonly string[],
  opening: Opening,
  name: string,
): Promise<{ readonly commands: Map<string, AccountCommand>; readonly events: readonly AccountEvent[] }> => {
  const done = past(opening);
  const commands = new Map<string, AccountCommand>();
  const slices = streams.map((stream, s) => ({
    stream,
    expected: EMPTY_STREAM,
    events: done.flatMap(({ command, events }, n) => {
      const metadata = metadataOf(`${name}/open/${s}/${n}`);
      commands.set(metadata.commandId, command);
      return events.map((event, nth) => encode(event, eventId(metadata.commandId, nth), metadata));
    }),
  }));
  await store.append(slices);
  return { commands, events: done.flatMap(({ events }) => events) };
};
