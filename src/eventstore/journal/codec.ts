import { z } from 'zod';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { ApprovalEvent } from '../../domain/approvals/approvals.ts';
import type { AdminTokenEvent } from '../../domain/identity/admin-token.ts';
import type { ContactEvent } from '../../domain/contacts/events.ts';
import type { ClaimEvent } from '../../domain/identity/claims.ts';
import type { InvitationEvent } from '../../domain/identity/invitations.ts';
import type { PersonEvent } from '../../domain/identity/person-events.ts';
import type { ServiceTokenEvent } from '../../domain/identity/service-tokens.ts';
import type { StaffEvent } from '../../domain/identity/staff.ts';
import type { LogEvent } from '../../domain/log/rewinds.ts';
import type { MailEvent } from '../../domain/mail/mail.ts';
import type { PaymentEvent } from '../../domain/payments/events.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import type { ReactionEvent } from '../../domain/reactions/parked-reactions.ts';
import type { TermsEvent } from '../../domain/terms/events.ts';
import { compileSchema, type CompiledSchema } from './shapes/compiled-schema.ts';
import type { Shape, Shapes } from './shapes/shape.ts';
import { accountEventShapes } from './shapes/account.ts';
import { approvalEventShapes } from './shapes/approvals.ts';
import { contactEventShapes } from './shapes/contacts.ts';
import { logEventShapes, priceEventShapes, termsEventShapes } from './shapes/books.ts';
import { mailEventShapes } from './shapes/mail.ts';
import { paymentEventShapes } from './shapes/payments.ts';
import { reactionEventShapes } from './shapes/reactions.ts';
import {
  claimEventShapes,
  invitationEventShapes,
  personEventShapes,
  serviceTokenEventShapes,
  staffEventShapes,
} from './shapes/people.ts';
import { rates } from './shapes/values.ts';
import type { Encoded, EventCodec, FactOf, Metadata, RecordedOf } from '../event-codec.ts';
import type { NewEvent, StoredEvent, StoredFact } from '../event-store.ts';
import { NotReadableByAll, type ReadableVersions } from '../event-versions.ts';

export type DomainEvent =
  | AccountEvent
  | ApprovalEvent
  | ClaimEvent
  | PersonEvent
  | ServiceTokenEvent
  | InvitationEvent
  | StaffEvent
  | AdminTokenEvent
  | PriceEvent
  | TermsEvent
  | LogEvent
  | ReactionEvent
  | MailEvent
  | PaymentEvent
  | ContactEvent;

export type { Metadata } from '../event-codec.ts';
export type Recorded<Event = DomainEvent> = RecordedOf<Event>;
export type Fact<Event = DomainEvent> = FactOf<Event>;

const shapes: Shapes<DomainEvent> = {
  ...accountEventShapes,
  ...claimEventShapes,
  ...personEventShapes,
  ...serviceTokenEventShapes,
  ...invitationEventShapes,
  ...staffEventShapes,
  ...approvalEventShapes,
  ...priceEventShapes,
  ...termsEventShapes,
  ...logEventShapes,
  ...reactionEventShapes,
  ...mailEventShapes,
  ...paymentEventShapes,
  ...contactEventShapes,
};

/** The newest version of each event type that this software reads; it writes the same. */
export const READABLE_VERSIONS: ReadableVersions = Object.fromEntries(
  Object.entries(shapes).map(([type, { version }]) => [type, version]),
);

type AnyEvent = Omit<DomainEvent, 'type'>;
const compiled = new WeakMap<z.ZodType, CompiledSchema<AnyEvent>>();
const compiledOf = ({ schema }: Shape<DomainEvent>): CompiledSchema<AnyEvent> => {
  let known = compiled.get(schema);
  if (!known) compiled.set(schema, (known = compileSchema(schema, rates)));
  return known;
};

const metadataSchema = compileSchema<Metadata>(
  z.strictObject({ actor: z.string(), commandId: z.string(), correlationId: z.string().optional() }),
);

/** Broken promise: the log holds an event that this software cannot read. Nothing after it may be trusted. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';

  constructor({ position, stream, revision, type, version }: Encoded, cause: unknown) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    const at = position === undefined ? '' : ` at position ${position}`;
    super(`event ${type} v${version}${at} (${stream}@${revision}) cannot be read: ${reason}`, {
      cause,
    });
  }
}

export const encode = (event: DomainEvent, id: string, metadata: Metadata, readable?: ReadableVersions): NewEvent => {
  const shape = shapes[event.type] as Shape<DomainEvent>;
  const data = compiledOf(shape).toJson(event);
  return {
    id,
    type: event.type,
    ...inReadableVersion(event.type, shape, data, readable ? (readable[event.type] ?? 0) : shape.version),
    metadata: metadataSchema.toJson(metadata),
  };
};

const inReadableVersion = (
  type: string,
  { version, lower }: Shape<DomainEvent>,
  data: string,
  newest: number,
): Pick<NewEvent, 'version' | 'data'> => {
  if (newest >= version) return { version, data };
  const lowered = lower?.[newest]?.(JSON.parse(data));
  if (lowered === undefined) throw new NotReadableByAll(type, version);
  return { version: newest, data: JSON.stringify(lowered) };
};

export const asWritten = <Event extends DomainEvent>(event: Event, { version, data }: NewEvent): Event => {
  const shape = shapes[event.type] as Shape<DomainEvent>;
  if (version === shape.version) return event;
  return { type: event.type, ...compiledOf(shape).decode(lifted(shape, version, JSON.parse(data))) } as Event;
};

/** Throws UnreadableEvent if the type or the version is unknown, or the data is not of its shape. */
export const decode = (stored: StoredEvent): Recorded => ({ ...decodeFact(stored), metadata: metadataOf(stored) });

export const metadataOf = (stored: StoredEvent): Metadata => {
  try {
    return metadataSchema.decode(JSON.parse(stored.metadata));
  } catch (cause) {
    throw new UnreadableEvent(stored, cause);
  }
};

export const decodeEvent = (stored: Encoded): DomainEvent => {
  const { type, version } = stored;
  try {
    const shape = (shapes as Readonly<Record<string, Shape<DomainEvent>>>)[type];
    if (!shape) throw new Error('its type is unknown');
    const parsed = compiledOf(shape).decode(lifted(shape, version, JSON.parse(stored.data)));
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

/** The codec of all events of the domain, for the log. */
export const journal: EventCodec<DomainEvent> = { encode, asWritten, decode, decodeEvent };
