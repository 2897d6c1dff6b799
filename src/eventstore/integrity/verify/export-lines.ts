import { z } from 'zod';
import { contentHash } from '../chain.ts';
import { fromJson, type Checkpoint } from '../checkpoint.ts';
import type { NewEvent } from '../../event-store.ts';
import type { Chained } from './range.ts';

export const EXPORT_FORMAT = 'kissapi-log-export';
export const EXPORT_VERSION = 1;

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** The first line, which describes the file. */
export const exportHeader = z.strictObject({
  export: z.strictObject({
    format: z.literal(EXPORT_FORMAT),
    version: z.literal(EXPORT_VERSION),
    from: z.int().positive(),
    to: z.int().nonnegative(),
    /** Of the event before the first; zeros at the beginning of the log. */
    previous_hash: digest,
    public_keys: z.array(z.string()),
  }),
});
export type ExportHeader = z.output<typeof exportHeader>['export'];

/** The last line. Without it the file is incomplete. */
export const exportEnd = z.strictObject({
  end: z.strictObject({
    events: z.int().nonnegative(),
    checkpoints: z.int().nonnegative(),
    hash: digest,
    header_sha256: digest,
  }),
});
export type ExportEnd = z.output<typeof exportEnd>['end'];

export type EventLine = NewEvent & {
  readonly position: number;
  readonly time: string;
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
};

export type ExportLine =
  | { readonly kind: 'event'; readonly event: Chained; readonly stream: string; readonly revision: number }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint };

const FIELDS_OF_EVENT = 10;

/** Throws an Error if the line is neither an event nor a checkpoint. */
export const readExportLine = (line: string): ExportLine => {
  const json = JSON.parse(line) as Partial<EventLine> & { readonly checkpoint?: unknown };
  if (json.checkpoint !== undefined) return { kind: 'checkpoint', checkpoint: fromJson(json.checkpoint) };
  const { position, time, stream, revision, id, type, version, data, metadata, hash } = json;
  // Checked without a schema, which would cost more than the rest of the verification.
  if (
    typeof position !== 'number' ||
    typeof time !== 'string' ||
    typeof stream !== 'string' ||
    typeof revision !== 'number' ||
    typeof id !== 'string' ||
    typeof type !== 'string' ||
    typeof version !== 'number' ||
    typeof data !== 'string' ||
    typeof metadata !== 'string' ||
    typeof hash !== 'string' ||
    Object.keys(json).length !== FIELDS_OF_EVENT
  ) {
    throw new Error('not an event');
  }
  const content = contentHash({ id, type, version, data, metadata }, stream, revision);
  return { kind: 'event', event: { position, time: millisecondsOf(time), hash, content }, stream, revision };
};

let lastText = '';
let lastTime = 0;

/** Accepts only the form in which exports write times. Many consecutive events have the same time, so the last is cached. */
const millisecondsOf = (text: string): number => {
  if (text === lastText) return lastTime;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== text) throw new Error(`invalid timestamp ${text}`);
  lastText = text;
  lastTime = time.getTime();
  return lastTime;
};
