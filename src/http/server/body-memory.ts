/** Peak memory per byte of a body: the bytes, their text, the parsed values and the forwarded copy. */
const AT_PEAK = 6;
/** Memory per byte while the answer streams. */
const WHILE_STREAMING = 3;

/** A part of the memory is reserved for bodies up to this size. */
const SMALL_BYTES = 64 * 1024;
const FOR_SMALL = 1 / 8;

export type BodyMemoryOptions = {
  readonly limitBytes: number;
  /** The longest wait for room. */
  readonly waitMs: number;
};

/** The memory of one request: from the first byte of its body until the request ends. */
export type BodyShare = {
  /** Counts bytes of a body whose length was not known. False if there is no room. */
  addBody(bytes: number): boolean;
  /** Counts exact memory, such as that of parsed values. False if there is no room. */
  addMemory(bytes: number): boolean;
  /** To be called when the body is forwarded and only the answer remains. */
  streaming(): void;
  release(): void;
};

/** Bounds the memory of the bodies of all requests. */
export type BodyMemory = {
  readonly usedBytes: number;
  /** Waits for room for a body; resolves with undefined if there is none in time. */
  share(bodyBytes: number): Promise<BodyShare | undefined>;
};

type Waiting = { readonly bytes: number; readonly admit: () => void };

export const createBodyMemory = ({ limitBytes, waitMs }: BodyMemoryOptions): BodyMemory => {
  let used = 0;
  const waiting = new Set<Waiting>();

  const fits = (bytes: number): boolean =>
    used + bytes <= limitBytes * (bytes > SMALL_BYTES * AT_PEAK ? 1 - FOR_SMALL : 1);
  const add = (bytes: number): boolean => {
    if (!fits(bytes)) return false;
    used += bytes;
    return true;
  };
  const give = (bytes: number): void => {
    used -= bytes;
    // In order of arrival, so that large bodies are not starved.
    for (const next of waiting) {
      if (!fits(next.bytes)) break;
      next.admit();
    }
  };

  const startShare = (bodyBytes: number): BodyShare => {
    let body = bodyBytes;
    let memory = bodyBytes * AT_PEAK;
    return {
      addBody: (bytes) => {
        if (!add(bytes * AT_PEAK)) return false;
        body += bytes;
        memory += bytes * AT_PEAK;
        return true;
      },
      addMemory: (bytes) => {
        if (!add(bytes)) return false;
        memory += bytes;
        return true;
      },
      streaming: () => {
        const freed = body * (AT_PEAK - WHILE_STREAMING);
        body = 0;
        memory -= freed;
        give(freed);
      },
      release: () => {
        give(memory);
        body = memory = 0;
      },
    };
  };

  const room = (bytes: number): Promise<boolean> =>
    new Promise((resolve) => {
      const decide = (found: boolean): void => {
        clearTimeout(timer);
        waiting.delete(one);
        resolve(found);
      };
      const one: Waiting = {
        bytes,
        admit: () => {
          used += bytes;
          decide(true);
        },
      };
      const timer = setTimeout(() => decide(false), waitMs);
      waiting.add(one);
    });

  return {
    get usedBytes() {
      return used;
    },
    share: async (bodyBytes) => {
      const bytes = bodyBytes * AT_PEAK;
      const isNext = waiting.size === 0 || bodyBytes <= SMALL_BYTES;
      return (isNext && add(bytes)) || (await room(bytes)) ? startShare(bodyBytes) : undefined;
    },
  };
};

/** The memory that one body of this size needs. */
export const leastBodyMemory = (bodyBytes: number): number => Math.ceil((bodyBytes * AT_PEAK) / (1 - FOR_SMALL));
