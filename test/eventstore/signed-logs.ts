import { generateKeyPairSync } from 'node:crypto';
import { publicKeyPem } from '../../src/eventstore/integrity/checkpoint.ts';
import { createCheckpointLog } from '../../src/eventstore/integrity/checkpoint-log.ts';
import { createPostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { queries } from '../support/sql.ts';
import { anEvent, slice } from './logs.ts';

export const aKey = () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKeyPem(privateKey) };
};

export const AT_ONCE = { events: 1, ms: 0 };

/** Data of all kinds: beyond ASCII, beyond the first plane, with escapes. */
const TEXTS = ['plain', 'grün', '数', '😀', 'a\\u0000b', '\\"quoted\\"'];

const STREAMS = 5;

/**
 * A log in PostgreSQL of so many batches of ten events in five streams, the head signed after each batch. `on` is an empty
 * database that the caller drops.
 */
export const createSignedLog = async (batches: number, on?: TestDatabase) => {
  const database = on ?? (await createMigratedDatabase());
  const store = createPostgresStore(database.url);
  const key = aKey();
  const checkpoints = createCheckpointLog(database.url, key.privateKey);
  const append = async (): Promise<void> => {
    const written = (await store.head()) / (2 * STREAMS);
    const event = (n: number) => anEvent({ data: `{"text":"${TEXTS[n % TEXTS.length]}","n":${n}}` });
    const slices = Array.from({ length: STREAMS }, (_, n) =>
      slice(`stream-${n}`, written * 2 - 1, event(n + written), event(n + written + 1)),
    );
    const results = await store.append(slices);
    if (!results.every(({ kind }) => kind === 'appended')) throw new Error('the log was not written');
  };
  for (let n = 0; n < batches; n++) {
    await append();
    await checkpoints.sign(AT_ONCE);
  }
  return {
    url: database.url,
    store,
    key,
    checkpoints,
    append,
    close: async (): Promise<void> => {
      await checkpoints.close();
      await store.close();
      if (!on) await database.drop();
    },
  };
};

/** What somebody can do who has the database: all triggers and constraints give way. */
export const tamper = (url: string, ...statements: readonly string[]): Promise<unknown> =>
  queries(
    url,
    ['events', 'log_checkpoints']
      .map((table) => `alter table ${table} disable trigger user`)
      .concat(
        statements,
        ['events', 'log_checkpoints'].map((table) => `alter table ${table} enable trigger user`),
      )
      .map((text) => ({ text })),
  );

/** Puts the log back to what it was at a position, as a restored copy is. */
export const putLogBack = async (url: string, position: number): Promise<void> => {
  await tamper(
    url,
    `delete from events where position > ${position}`,
    `delete from log_checkpoints where position > ${position}`,
    `update log_head set position = ${position},
       time = coalesce((select time from events where position = ${position}), '-infinity'),
       hash = coalesce((select hash from events where position = ${position}), decode(repeat('00', 32), 'hex'))`,
  );
};

/** Makes every hash from a position on fit what stands there now, and the head with them. */
export const REHASH = (from: number): string => `do $$
declare
  one record;
  previous bytea := coalesce((select hash from events where position = ${from} - 1), decode(repeat('00', 32), 'hex'));
  content bytea;
begin
  for one in select * from events where position >= ${from} order by position loop
    content := sha256(convert_to(concat_ws(E'\\n', one.stream, one.revision, one.id, one.type, one.version,
      (select sum(case when ascii(c) > 65535 then 2 else 1 end) from regexp_split_to_table(one.data::text, '') c),
      one.data::text || one.metadata::text), 'utf8'));
    previous := sha256(previous || content || int8send(one.position) || int8send((extract(epoch from one.time) * 1000)::bigint));
    update events set hash = previous where position = one.position;
  end loop;
  update log_head set hash = previous, position = (select max(position) from events),
    time = (select time from events order by position desc limit 1);
end $$`;
