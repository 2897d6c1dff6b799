import type pg from 'pg';

/** Called for each row, with the place of its first column in the bytes. Each column is a length (int32) and its bytes. */
export type OnRow = (bytes: Buffer, firstColumn: number) => void;

const HEADER_BYTES = 19;
const END_OF_ROWS = -1;

/**
 * Reads the rows of a query in PostgreSQL's binary format, as they come over the wire, for whoever reads too many of them
 * to have each made into an object. `pg` hands the messages of a COPY to the query that is under way.
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
          failure = error; // Thrown here it would end the process.
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

/** Takes a COPY in pieces, however they are cut: usually one is a row, which nobody promises. */
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
      if (end !== at + 2) onRow(bytes, at + 2); // Else it is the mark of the end.
      at = end;
    }
    // A copy, for the bytes are pg's, which reads the next message over them.
    pending = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined;
  };
};

/** Undefined while not all of the row is there. */
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
