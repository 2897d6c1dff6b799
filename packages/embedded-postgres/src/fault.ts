import { open } from 'node:fs/promises';

export type EmbeddedPostgresFaultCode =
  'embedded_postgres_unavailable' | 'embedded_postgres_in_use' | 'embedded_postgres_failed';

/** The message is for the operator: what failed and how to fix it. */
export class EmbeddedPostgresFault extends Error {
  readonly code: EmbeddedPostgresFaultCode;

  constructor(code: EmbeddedPostgresFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedPostgresFault';
    this.code = code;
  }
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const TAIL_BYTES = 8192;
const TAIL_LINES = 15;

/** The last lines after byte `from`, so that an old failure is not reported as the cause of a new one. */
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
