import { membersOf } from '../../../json/json-text.ts';
import { invariant } from '../../../../domain/decider.ts';
import type { Gathering } from '../../format.ts';
import { gatherEvents } from '../../gather-events.ts';

/** The types of the last event, which has the whole response. */
const isLast = /^\{"type":"response\.(?:completed|incomplete)"/;

/** The whole response of a stream that this format has written. */
export const gatherResponse = (): Gathering => {
  let last = '';
  return gatherEvents({
    add: (data) => {
      if (isLast.test(data)) last = data;
    },
    answer: () => {
      const response = membersOf(last, 'response').at(-1);
      invariant(response !== undefined, 'a stream that completed ends with its response');
      return last.slice(response.start, response.end);
    },
  });
};
