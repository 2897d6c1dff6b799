import { z } from 'zod';
import type { AccountEvent } from '../domain/account/events.ts';
import type { PriceEvent } from '../domain/prices/events.ts';
import type { TermsEvent } from '../domain/terms/terms.ts';
import { accountEventShapes } from './shapes/account.ts';
import { priceEventShapes, termsEventShapes } from './shapes/books.ts';
import type { NewEvent, StoredEvent, StoredFact } from './event-store.ts';

export type DomainEvent = AccountEvent | PriceEvent | TermsEvent;

/** Who did it and why: kept beside each event. */
export type Metadata = {
  /** `key:<id>`, `admin`, `system:<what>` or `cli:<what>`. */
  readonly actor: string;
  /** The command that caused the event; the event's id derives from it. */
  readonly commandId: string;
  /** The HTTP request that carried the command. */
  readonly correlationId?: string | undefined;
};

/** An event with its place in the log. */
export type Recorded<Event = DomainEvent> = {
  readonly event: Event;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly time: Date;
  readonly metadata: Metadata;
};

/** What happened, with its place in the log: all that a view sees of an event. */
export type Fact<Event = DomainEvent> = Omit<Recorded<Event>, 'metadata'>;

type Shape<Event extends DomainEvent> = {
  /** What is written now. */
  readonly version: number;
  readonly schema: z.ZodType<Omit<Event, 'type'>>;
  /** Turns the data of an older version into the shape of now, before it is parsed. */
  readonly lift?: Readonly<Record<number, (data: unknown) => unknown>>;
};

export type Shapes<Event extends DomainEvent> = { readonly [T in Event['type']]: Shape<Extract<Event, { type: T }>> };

const shapes: Shapes<DomainEvent> = { ...accountEventShapes, ...priceEventShapes, ...termsEventShapes };

const metadataSchema = z.strictObject({
  actor: z.string(),
  commandId: z.string(),
  correlationId: z.string().optional(),
});

/** Broken promise: the log holds an event that this version of the software cannot read. Nothing past it is trusted. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';

  constructor({ position, stream, revision, type, version }: StoredFact, cause: unknown) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    super(`event ${type} v${version} at position ${position} (${stream}@${revision}) cannot be read: ${reason}`, {
      cause,
    });
  }
}

/** Throws rather than write what could not be read again. */
export const encode = (event: DomainEvent, id: string, metadata: Metadata): NewEvent => {
  const shape = shapes[event.type] as Shape<DomainEvent>;
  return {
    id,
    type: event.type,
    version: shape.version,
    data: JSON.stringify(z.encode(shape.schema, event)),
    metadata: JSON.stringify(metadataSchema.parse(metadata)),
  };
};

/** Throws UnreadableEvent for an event that is unknown, of a version from the future, or not of its shape. */
export const decode = (stored: StoredEvent): Recorded => {
  const { id, stream, revision, position, time } = stored;
  const event = decodeEvent(stored);
  try {
    const metadata = metadataSchema.parse(JSON.parse(stored.metadata));
    return { event, id, stream, revision, position, time, metadata };
  } catch (cause) {
    throw new UnreadableEvent(stored, cause);
  }
};

/** As `decode`, of what happened alone: all that a fold needs. */
export const decodeEvent = (stored: StoredFact): DomainEvent => {
  const { type, version } = stored;
  try {
    const shape = (shapes as Readonly<Record<string, Shape<DomainEvent>>>)[type];
    if (!shape) throw new Error('its type is unknown');
    const parsed = shape.schema.parse(lifted(shape, version, JSON.parse(stored.data)));
    return { type, ...parsed } as DomainEvent;
  } catch (cause) {
    throw new UnreadableEvent(stored, cause);
  }
};

export const decodeFact = (stored: StoredFact): Fact => {
  const { id, stream, revision, position, time } = stored;
  return { event: decodeEvent(stored), id, stream, revision, position, time };
};

const lifted = (shape: Shape<DomainEvent>, version: number, data: unknown): unknown => {
  if (version === shape.version) return data;
  const lift = shape.lift?.[version];
  if (!lift) throw new Error('its version is unknown');
  return lift(data);
};
