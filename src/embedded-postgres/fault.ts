import { open } from 'node:fs/promises';

type Code = 'embedded_postgres_unavailable' | 'embedded_postgres_in_use' | 'embedded_postgres_failed';

/** Written for the operator: each message says what failed and what to do about it. */
export class EmbeddedPostgresFault extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedPostgresFault';
    this.code = code;
  }
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const TAIL_BYTES = 8192;
const TAIL_LINES = 15;

/** The last lines written since byte `from`, so that an old failure is never shown as the cause of a new one. */
export const logTail = async (logFile: string, from = 0): Promise<string> => {
  const file = await open(logFile, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } finally {
    await file.close();
  }
};
