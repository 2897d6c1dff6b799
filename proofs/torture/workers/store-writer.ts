import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountStream } from '../../../src/domain/account/account.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { eventId } from '../../../src/eventstore/ids.ts';
import { createNode, reserve, settle } from '../customers.ts';
import { openRecords, UNPLACED } from '../records.ts';
import { untilToldToStop } from './until-told-to-stop.ts';

/** A process that writes as a gateway does, and records acknowledged events in its own files. */
export type StoreWriterSettings = {
  readonly name: string;
  readonly databaseUrl: string;
  readonly eventStoreUrl?: string;
  readonly directory: string;
  readonly accounts: readonly string[];
  /** The number of concurrent customers. Each waits for a response before its next command. */
  readonly customers: number;
};

const settings = JSON.parse(process.argv[2] ?? '') as StoreWriterSettings;
const { name, directory, accounts, customers } = settings;
const stop = untilToldToStop();
const { commands, close } = createNode(settings);
const acknowledged = openRecords(join(directory, `${name}.acknowledged`));

/** The number of answered commands of each customer. A process that died may already have sent the next one. */
const answered = openSync(join(directory, `${name}.answered`), 'a+');
const counts = new Uint32Array(customers);
readSync(answered, counts, 0, counts.byteLength, 0);
closeSync(answered);
const counters = openSync(join(directory, `${name}.answered`), 'r+');

const serve = async (customer: number): Promise<void> => {
  const stream = accountStream(accounts[customer % accounts.length] ?? '');
  for (let mayRepeat = true; !stop.aborted;) {
    const count = counts[customer] ?? 0;
    const requestId = `${name}-${customer}-${count >> 1}`;
    const command = count % 2 === 0 ? reserve(requestId) : settle(requestId);
    const commandId = `${requestId}/${command.type}`;
    try {
      const outcome = await commands.execute(stream, command, { actor: 'system:torture', commandId }, { mayRepeat });
      // The next command depends on the acknowledged ones, and each command writes exactly once.
      if (outcome.kind === 'refused') throw new Error(`${commandId} was refused: ${outcome.refusal.code}`);
      const { position, events } = outcome;
      if (events.length === 0) throw new Error(`${commandId} found its work done, and not by itself`);
      const placeOf = (n: number): number => (position === undefined ? UNPLACED : position - events.length + 1 + n);
      acknowledged.append(events.map((_, n) => ({ position: placeOf(n), id: eventId(commandId, n), stream })));
      counts[customer] = count + 1;
      writeSync(counters, counts, customer * 4, 4, customer * 4);
      mayRepeat = false;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      mayRepeat = true;
      await sleep(100);
    }
  }
};

await Promise.all(Array.from({ length: customers }, (_, customer) => serve(customer)));
await close();
