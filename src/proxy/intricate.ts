import { setImmediate as nextTurn } from 'node:timers/promises';

/** More than the 300,000 tokens that OpenAI takes in one request of embeddings, each of them a number and a comma. */
export const MAX_VALUES = 400_000;

/** As much as is looked at in a few milliseconds. */
const TURN_BYTES = 2 * 1024 * 1024;

const [QUOTE, COMMA, BACKSLASH, OPEN_LIST, OPEN_OBJECT] = [0x22, 0x2c, 0x5c, 0x5b, 0x7b];

/**
 * Whether JSON has more lists, objects and commas than any request needs. A text of 20 MB is read in some milliseconds,
 * as many empty objects take seconds, in which nobody else is served. So they are counted before; others have their turn
 * meanwhile.
 */
export const isIntricate = async (json: Uint8Array): Promise<boolean> => {
  // With fewer bytes it cannot be.
  if (json.length <= MAX_VALUES) return false;
  let values = 0;
  let inText = false;
  for (let at = 0; at < json.length;) {
    const end = Math.min(json.length, at + TURN_BYTES);
    for (; at < end; at++) {
      const byte = json[at];
      if (inText) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values++;
    }
    if (values > MAX_VALUES) return true;
    await nextTurn();
  }
  return false;
};
