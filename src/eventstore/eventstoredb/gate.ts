import { LogWentBack, type LogPlace } from '../chained-log.ts';
import { StoreUnavailable } from '../event-store.ts';
import { beginIn } from './begin.ts';
import { BEGINNING } from './beside-log.ts';
import type { CopyHead, CopyHeads } from './copy/copy-head.ts';
import type { CommittedEvent } from './connection/envelope.ts';
import { serverStreams, type ServerStreams } from './connection/server-streams.ts';
import type { Session, Sessions } from './connection/sessions.ts';

/** A session in which the server was found to have all that the copy and this process know of the log. */
export type Entry = { readonly session: Session; readonly server: ServerStreams; readonly streams: string };

/** The place of an event that this process appended or read, by its stream and among all events of the server. */
export type SeenEvent = Pick<CommittedEvent, 'stream' | 'revision' | 'token' | 'commit'>;

/**
 * Every append and read passes here. A server that was put back to an earlier state has broken the session: nothing passes
 * until the new one was compared.
 */
export type Gate = {
  /** Undefined while the gate is closed. */
  readonly entry: Entry | undefined;
  /** Opens the gate if it is closed. Rejects with StoreUnavailable. */
  enter(): Promise<Entry>;
  /** The same for an append. Also rejects with LogWentBack while the server lacks what this process has seen of it. */
  enterToAppend(): Promise<Entry>;
  end(session: Session): void;
  saw(event: SeenEvent): void;
  /** An event that this process has seen, and that neither the server nor the copy has any more. */
  readonly lost: LogPlace | undefined;
  /** Forgets what was seen. */
  forget(): void;
};

export type GateOptions = {
  readonly sessions: Sessions;
  readonly heads: Pick<CopyHeads, 'read' | 'newEpoch' | 'moveTo' | 'adopt'>;
  /** The server lacks the head's event: appends again what it lacks. */
  readonly restore: (entry: Entry, head: CopyHead) => Promise<void>;
  /** Called when `lost` is set. */
  readonly wentBack: () => void;
};

export const createGate = ({ sessions, heads, restore, wentBack }: GateOptions): Gate => {
  let entry: Entry | undefined;
  let opening: Promise<Entry> | undefined;
  let newest: SeenEvent | undefined;
  let lost: LogPlace | undefined;

  const checkNewest = async ({ server }: Entry, head: CopyHead): Promise<void> => {
    if (!newest || lost) return;
    const { stream, revision, token } = newest;
    const [found] = await server.read(stream, revision, 1);
    if (found?.token === token) {
      // What was appended again is at another place than before.
      newest = { stream, revision, token, commit: found.commit };
      return;
    }
    lost = { position: head.position + 1, hash: token };
    wentBack();
  };

  /** A server that was put back, and has grown again, has the same events at other places. */
  const checkHead = async (opened: Entry, head: CopyHead): Promise<void> => {
    if (!head.event) return;
    const [found] = await opened.server.read(head.event.stream, head.event.revision, 1);
    if (found?.token !== head.event.token) await restore(opened, head);
    else if (found.commit !== head.storePosition) await heads.moveTo(found.commit, head.position);
  };

  const open = async (): Promise<Entry> => {
    const session = await sessions.open();
    await beginIn(sessions, heads);
    const head = await heads.newEpoch();
    const { streams = '' } = head;
    const server = serverStreams(session, streams, sessions.end);
    const opened: Entry = { session, server, streams };
    await checkMarker(opened, head);
    await checkHead(opened, head);
    await checkNewest(opened, head);
    if (session.ended.aborted) throw new StoreUnavailable('the connection to EventStoreDB was lost again');
    session.ended.addEventListener('abort', () => {
      if (entry === opened) entry = undefined;
    });
    entry = opened;
    return opened;
  };

  const enter = async (): Promise<Entry> => entry ?? (opening ??= open().finally(() => (opening = undefined)));

  return {
    get entry() {
      return lost ? undefined : entry;
    },
    enter,
    enterToAppend: async () => {
      const opened = await enter();
      if (lost) throw new LogWentBack(lost);
      return opened;
    },
    end: sessions.end,
    saw: ({ stream, revision, token, commit }) => {
      if (commit > (newest?.commit ?? -1)) newest = { stream, revision, token, commit };
    },
    get lost() {
      return lost;
    },
    forget: () => {
      newest = lost = undefined;
    },
  };
};

/** Whether the server has an event of the copy at its place. */
export const has = async (
  server: ServerStreams,
  { stream, revision, token }: Pick<SeenEvent, 'stream' | 'revision' | 'token'>,
): Promise<boolean> => (await server.read(stream, revision, 1))[0]?.token === token;

const checkMarker = async ({ server }: Entry, { marker }: CopyHead): Promise<void> => {
  const [first] = await server.read(BEGINNING, 0, 1);
  if (first?.id === marker) return;
  throw new StoreUnavailable(
    first
      ? 'EVENT_STORE_URL names a server with another log: name the one that this log was begun in'
      : 'EVENT_STORE_URL names a server that does not have this log: name the one that it was begun in, or restore that',
  );
};
