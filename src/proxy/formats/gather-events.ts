import { createParser } from 'eventsource-parser';
import type { Gathering } from './format.ts';

/** Reads the text of a stream event by event; `add` receives the data of each, and `answer` returns the whole answer. */
export const gatherEvents = ({
  add,
  answer,
}: {
  readonly add: (data: string) => void;
  readonly answer: () => string;
}): Gathering => {
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: ({ data }) => add(data), maxBufferSize: Infinity });
  return {
    feed: (piece) => parser.feed(typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })),
    answer,
  };
};
