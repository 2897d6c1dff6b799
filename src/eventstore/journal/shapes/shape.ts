import type { z } from 'zod';

type Typed = { readonly type: string };

/** How the events of one type are stored. */
export type Shape<Event extends Typed> = {
  /** The version that is written. */
  readonly version: number;
  readonly schema: z.ZodType<Omit<Event, 'type'>>;
  /** Converts the data of an older version into the current shape, before it is parsed. */
  readonly lift?: Readonly<Record<number, (data: unknown) => unknown>>;
  /**
   * Converts current data into that of an older version, which is written while a gateway is running that reads no newer
   * version. Undefined if the event has content that the older version cannot express and that must not be lost.
   */
  readonly lower?: Readonly<Record<number, (data: unknown) => unknown>>;
};

/** By event type. */
export type Shapes<Event extends Typed> = { readonly [T in Event['type']]: Shape<Extract<Event, { type: T }>> };
