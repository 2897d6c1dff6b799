/** The part of the metadata of a stream that decides which of its events can be read. */
export type StreamMetadata = {
  readonly truncateBefore: number;
  readonly maxCount: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly isSoftDeleted: boolean;
};

const NONE: StreamMetadata = { truncateBefore: 0, maxCount: undefined, maxAgeMs: undefined, isSoftDeleted: false };

/** `$tb` of a deleted stream is the highest 64-bit integer. JSON.parse rounds it up to 2 ** 63. */
export const DELETED_BEFORE = '{"$tb":9223372036854775807}';

export const metaStreamOf = (stream: string): string => `$$${stream}`;
export const isMetaStream = (stream: string): boolean => stream.startsWith('$$');
export const originalStreamOf = (metaStream: string): string => metaStream.slice(2);

const fieldsOf = (data: Uint8Array): Record<string, unknown> => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data).toString());
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
};

const numberIn = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

export const readMetadata = (data: Uint8Array | undefined): StreamMetadata => {
  if (!data) return NONE;
  const fields = fieldsOf(data);
  const truncateBefore = numberIn(fields['$tb']) ?? 0;
  const maxAgeSeconds = numberIn(fields['$maxAge']);
  return {
    truncateBefore,
    maxCount: numberIn(fields['$maxCount']),
    maxAgeMs: maxAgeSeconds === undefined ? undefined : maxAgeSeconds * 1000,
    isSoftDeleted: truncateBefore >= Number.MAX_SAFE_INTEGER,
  };
};

/** The metadata of a stream that is used again after it was deleted. */
export const recreatedMetadata = (data: Uint8Array, firstRevision: number): Uint8Array =>
  Buffer.from(JSON.stringify({ ...fieldsOf(data), $tb: firstRevision }));
