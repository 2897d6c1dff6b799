import { isShortage } from './allowance.ts';
import type { Call } from './call.ts';
import { shortageError } from './stream-closing.ts';
import { asList, field } from '../json/untyped-json.ts';
import { withMember } from '../metering/meter.ts';

/**
 * An answer that ended where credits, or a limit on spending, had capped it says so beside the format, as streams do: of its
 * `finish_reason` alone nobody could tell that from a limit of the model's.
 */
export const withShortage = ({ bounds, generationId }: Call, body: string): string => {
  const { cappedBy } = bounds;
  if (!isShortage(cappedBy) || !wasCut(body)) return body;
  return withMember(body, 'kissapi', JSON.stringify({ generation_id: generationId, error: shortageError(cappedBy) }));
};

const wasCut = (body: string): boolean =>
  asList(field(JSON.parse(body), 'choices')).some((choice) => field(choice, 'finish_reason') === 'length');
