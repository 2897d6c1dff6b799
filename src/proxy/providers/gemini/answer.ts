import { field, isThere } from '../../json/untyped-json.ts';
import type { ProviderAnswer } from '../provider.ts';
import { candidateOf, idOf, isOtherTier, type Chunk } from './chunk.ts';
import { createReading, partsOf, readParts } from './read-parts.ts';
import { endOf } from './stream-reader.ts';

/** Reads a whole answer. Undefined if it has no candidate that ended as it should, and no reason for that. */
export const readAnswer = (
  chunk: Chunk,
  custom: ReadonlySet<string>,
): Extract<ProviderAnswer, { readonly kind: 'whole' }> | undefined => {
  const reading = createReading(custom);
  const { pieces, text } = readParts(reading, chunk);
  const end = endOf(reading, chunk);
  const isComplete = end.kind === 'finished' || (end.kind === 'open' && pieces.length > 0);
  if (!isComplete || isThere(field(chunk, 'error'))) return undefined;
  const finish =
    end.kind === 'finished' ? { finishReason: end.reason, nativeFinishReason: end.native } : { finishReason: 'stop' };
  return {
    kind: 'whole',
    metered: {
      upstreamId: idOf(chunk) ?? null,
      finishReason: finish.finishReason,
      usage: chunk.usageMetadata,
      texts: isThere(candidateOf(chunk)) ? [text] : [],
      ...(isOtherTier(chunk) ? { otherTier: true } : {}),
    },
    content: { choices: [{ parts: partsOf(pieces), ...finish }] },
  };
};
