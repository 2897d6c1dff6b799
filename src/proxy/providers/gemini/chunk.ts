import { asList, field, isThere } from '../../json/untyped-json.ts';
import { parseExactObject } from '../../json/exact-json.ts';

/** A `GenerateContentResponse`: a whole answer, or a piece of a stream. All its fields are unchecked. */
export type Chunk = Readonly<
  Partial<Record<'candidates' | 'promptFeedback' | 'usageMetadata' | 'responseId' | 'error', unknown>>
>;

/** Undefined if the text is not a JSON object. Google sends some errors as the first item of a list. */
export const parseChunk = (json: string): Chunk | undefined => {
  let read: unknown;
  try {
    read = JSON.parse(json);
  } catch {
    return undefined;
  }
  const value = Array.isArray(read) && isThere(field(read[0], 'error')) ? (read[0] as unknown) : read;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  // Arguments are passed on as text, with the digits of their numbers.
  const exact = json.includes('"functionCall"') ? parseExactObject(json) : undefined;
  return exact ? { ...value, candidates: exact['candidates'] } : value;
};

/** The one candidate. */
export const candidateOf = ({ candidates }: Chunk): unknown => asList(candidates)[0];

export const idOf = ({ responseId }: Chunk): string | undefined =>
  typeof responseId === 'string' && responseId !== '' ? responseId : undefined;

/** Set instead of a candidate if Google refused the prompt. */
export const blockReasonOf = ({ promptFeedback }: Chunk): string | undefined => {
  const reason = field(promptFeedback, 'blockReason');
  return typeof reason === 'string' && reason !== '' ? reason : undefined;
};

const isOf = (value: unknown, priced: readonly string[]): boolean =>
  !isThere(value) || (typeof value === 'string' && priced.includes(value.toLowerCase()));

/** Whether it was served in another tier than the priced one. */
export const isOtherTier = ({ usageMetadata: usage }: Chunk): boolean =>
  !isOf(field(usage, 'serviceTier'), ['standard', 'unspecified', 'service_tier_standard']) ||
  !isOf(field(usage, 'trafficType'), ['on_demand', 'traffic_type_unspecified']);
