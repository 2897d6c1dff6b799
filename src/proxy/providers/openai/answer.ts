import { isThere } from '../../json/untyped-json.ts';
import type { Metered } from '../provider.ts';
import { choicesOf, finishReasonOf, idOf, isError, isFilled, parseChunk } from './chunk.ts';
import { textOf } from './delta-text.ts';
import { isOtherTier } from '../service-tier.ts';
import { usageIn } from './usage-location.ts';

/**
 * Reads a whole answer. Undefined if it is not a valid completion: not a JSON object, an error despite its status, or
 * without choices, vectors and usage.
 */
export const readAnswer = (body: string): Metered | undefined => {
  const answer = parseChunk(body);
  if (!answer || isError(answer)) return undefined;
  const choices = choicesOf(answer);
  const usage = usageIn(answer);
  if (choices.length === 0 && !isFilled(answer.data) && !isThere(usage)) return undefined;
  return {
    upstreamId: idOf(answer) ?? null,
    finishReason: finishReasonOf(choices[0]),
    usage,
    texts: choices.map((choice) => textOf(choice, 'message')),
    ...(isOtherTier(answer) ? { otherTier: true } : {}),
  };
};
