import { setImmediate as nextTurn } from 'node:timers/promises';

/** More than the 300,000 tokens that OpenAI accepts in one embeddings request, each of them a number and a comma. */
export const MAX_VALUES = 400_000;

/** The size of a JSON text once parsed, counted before parsing. */
export type JsonShape = {
  /** Lists, objects and commas. The number of values is at most one more. */
  readonly values: number;
  /** Member names, including repeated ones. */
  readonly members: number;
};

/** Read in a few milliseconds. */
const TURN_BYTES = 2 * 1024 * 1024;
/** In longer strings, `indexOf` finds the closing quote faster than a loop over the bytes. */
const LONG_STRING = 64;

const [QUOTE, COMMA, COLON, BACKSLASH, OPEN_LIST, OPEN_OBJECT] = [0x22, 0x2c, 0x3a, 0x5c, 0x5b, 0x7b];

/**
 * Counts the values and names of a JSON text. A usual text of 20 MB is parsed in milliseconds, but one of empty objects
 * takes seconds, during which no other request is served. So values are counted before parsing, and the count yields to
 * other requests. It stops beyond MAX_VALUES.
 */
export const measureJson = async (json: Buffer): Promise<JsonShape> => {
  const scan = startScan(json);
  while (!scan.read(TURN_BYTES)) await nextTurn();
  return scan.shape;
};

/** Like `measureJson`, but synchronous. */
export const measureJsonNow = (json: Buffer): JsonShape => {
  const scan = startScan(json);
  scan.read(json.length);
  return scan.shape;
};

const startScan = (json: Buffer) => {
  const shape = { values: 0, members: 0 };
  let at = 0;
  let inString = false;

  /** Reads to the end of a string, or to the end of the turn if that comes first. Returns the next offset. */
  const readString = (from: number, end: number): number => {
    let place = from;
    while (place < end) {
      for (const stop = place + LONG_STRING; place < stop && place < end; place++) {
        const byte = json[place];
        if (byte === BACKSLASH) place++;
        else if (byte === QUOTE) {
          inString = false;
          return place + 1;
        }
      }
      const quote = json.indexOf(QUOTE, place);
      if (quote < 0) return json.length;
      inString = isEscaped(json, quote, place);
      place = quote + 1;
      if (!inString) break;
    }
    return place;
  };

  return {
    shape,
    /** True once the text is read or has more values than a request may have. */
    read: (bytes: number): boolean => {
      const end = Math.min(json.length, at + bytes);
      let { values, members } = shape;
      let place = at;
      while (place < end) {
        if (inString) place = readString(place, end);
        for (; place < end && !inString; place++) {
          const byte = json[place];
          if (byte === QUOTE) inString = true;
          else if (byte === COLON) members++;
          else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values++;
        }
      }
      at = place;
      Object.assign(shape, { values, members });
      return at >= json.length || values > MAX_VALUES;
    },
  };
};

/** Whether an odd number of backslashes precedes a quote. `from` is an offset outside of any escape. */
const isEscaped = (json: Buffer, quote: number, from: number): boolean => {
  let first = quote;
  while (first > from && json[first - 1] === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
};
