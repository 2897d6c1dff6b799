import type pg from 'pg';

/** Called for each row, with the offset of its first column. Each column is a length (int32) and its bytes. */
export type OnRow = (bytes: Buffer, firstColumn: number) => void;

const HEADER_BYTES = 19;
const END_OF_ROWS = -1;

/**
 * Reads the rows of a query in PostgreSQL's binary format, straight from the connection, for reads of so many rows that an
 * object for each is too expensive. `pg` passes the messages of a COPY to the query under way.
 */
export const copyOut = (client: pg.Client, query: string, onRow: OnRow): Promise<void> =>
  new Promise((resolve, reject) => {
    const read = createRowReader(onRow);
    let failure: unknown;

    const copy = {
      submit: (connection: pg.Connection) => connection.query(`copy (${query}) to stdout (format binary)`),
      handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => {
        if (failure !== undefined) return;
        try {
          read(chunk);
        } catch (error) {
          failure = error; // Thrown here, it would end the process.
        }
      },
      handleError: reject,
      handleReadyForQuery: () => {
        if (failure === undefined) resolve();
        else reject(failure instanceof Error ? failure : new Error(String(failure)));
      },
      handleCommandComplete: () => undefined,
      handleRowDescription: () => undefined,
      handleDataRow: () => undefined,
      handleEmptyQuery: () => undefined,
      handlePortalSuspended: () => undefined,
    };
    client.query(copy);
  });

/** Accepts a COPY in chunks of any size. Usually a chunk is one row, but the protocol does not guarantee it. */
export const createRowReader = (onRow: OnRow): ((chunk: Buffer) => void) => {
  let pending: Buffer | undefined;
  let headerRead = false;
  return (chunk) => {
    const bytes = pending ? Buffer.concat([pending, chunk]) : chunk;
    let at = 0;
    if (!headerRead) {
      const header = bytes.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + bytes.readInt32BE(HEADER_BYTES - 4);
      if (bytes.length < header) return void (pending = Buffer.from(bytes));
      at = header;
      headerRead = true;
    }
    for (;;) {
      const end = endOfRow(bytes, at);
      if (end === undefined) break;
      if (end !== at + 2) onRow(bytes, at + 2); // Otherwise it is the end marker.
      at = end;
    }
    // Copied, because pg reuses the buffer for the next message.
    pending = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined;
  };
};

/** Undefined while the row is incomplete. */
const endOfRow = (bytes: Buffer, start: number): number | undefined => {
  let at = start + 2;
  if (at > bytes.length) return undefined;
  const columns = bytes.readInt16BE(start);
  if (columns === END_OF_ROWS) return at;
  for (let n = 0; n < columns; n++) {
    if (at + 4 > bytes.length) return undefined;
    at += 4 + Math.max(0, bytes.readInt32BE(at)); // -1 is null.
  }
  return at <= bytes.length ? at : undefined;
};
