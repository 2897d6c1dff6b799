import { Refusal, find, settingsWebhook } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Attempt, AttemptOutcome, CreemEvent, Delivery, Webhook } from '../store/state.ts';
import { sign, withMode } from './events.ts';
import type { DeliveryFault, Faults } from './faults.ts';
import { send } from './send.ts';
import type { SignedRequest } from './send.ts';

/** Milliseconds from one attempt to the next: five attempts with the first. */
const RETRY_AFTER_MS = [30_000, 5 * 60_000, 30 * 60_000, 6 * 3_600_000];
/** No attempt is made for an event that is older. */
const MAX_AGE_MS = 24 * 3_600_000;

export type DeliverOptions = {
  /** The order of what is due; by their time unless stated. */
  readonly order?: (due: readonly Delivery[]) => readonly Delivery[];
  /** Sends all at once. */
  readonly concurrently?: boolean;
};

export type ResendOptions = {
  /** Another endpoint than that of the settings, such as a second node. */
  readonly url?: string;
  readonly fault?: DeliveryFault;
};

export type Deliveries = {
  /** Makes every attempt that is due by the injected clock. Returns the deliveries that it attempted, in order. */
  deliverDue(options?: DeliverOptions): Promise<readonly Delivery[]>;
  /** Sends an event again at once, with the same id and the same bytes. */
  resend(eventId: string, options?: ResendOptions): Promise<AttemptOutcome>;
  /** What a delivery of the event sends. */
  signed(eventId: string, fault?: DeliveryFault): SignedRequest;
  /** Aborts open requests; resolves once none is left. */
  close(): Promise<void>;
};

const cutOf = (body: Buffer, bytes: number): Buffer => body.subarray(0, Math.min(bytes, Math.max(0, body.length - 1)));

export const signedRequest = (event: CreemEvent, secret: string, fault?: DeliveryFault): SignedRequest => {
  const whole = Buffer.from(fault?.kind === 'wrong_mode' ? withMode(event.body, fault.mode) : event.body);
  const body = fault?.kind === 'truncate' ? cutOf(whole, fault.bytes) : whole;
  const signedBytes = fault?.kind === 'truncate' && fault.signed === 'truncated' ? body : whole;
  const signature = sign(signedBytes, fault?.kind === 'wrong_secret' ? `${secret} of another` : secret);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Creem-Webhook (simulated)',
    ...(fault?.kind !== 'unsigned' && { 'creem-signature': signature }),
  };
  return { headers, body };
};

export const describeOutcome = (outcome: AttemptOutcome): string =>
  outcome.kind === 'answered' ? `answered with ${outcome.status}` : `failed (${outcome.reason})`;

/** Records an attempt by the schedule: Creem counts 200 only as delivered. */
const record = (delivery: Delivery, attempt: Attempt): void => {
  delivery.attempts.push(attempt);
  if (attempt.outcome.kind === 'answered' && attempt.outcome.status === 200) {
    delivery.state = 'delivered';
    delivery.nextAttemptAt = undefined;
    return;
  }
  if (attempt.manual) return;
  const made = delivery.attempts.filter(({ manual }) => !manual).length;
  const wait = RETRY_AFTER_MS[made - 1];
  if (delivery.state !== 'scheduled') return;
  delivery.nextAttemptAt = wait === undefined ? undefined : attempt.at + wait;
  if (wait === undefined) delivery.state = 'given_up';
};

export const createDeliveries = (
  shop: Shop,
  faults: Faults,
  { timeoutMs, log }: { readonly timeoutMs: number; readonly log: (line: string) => void },
): Deliveries => {
  const { state } = shop;
  const closing = new AbortController();
  const sending = new Set<string>();
  const open = new Set<Promise<unknown>>();

  const post = async (url: string, event: CreemEvent, secret: string, fault: DeliveryFault | undefined) => {
    if (fault?.kind === 'lose') return { kind: 'failed', reason: 'lost' } satisfies AttemptOutcome;
    const sent = { url, signed: signedRequest(event, secret, fault), timeoutMs, signal: closing.signal };
    if (fault?.kind === 'cut') return send({ ...sent, cutAfter: cutOf(sent.signed.body, fault.bytes).length });
    if (fault?.kind === 'lose_response') {
      await send(sent);
      return { kind: 'failed', reason: 'response_lost' } satisfies AttemptOutcome;
    }
    if (fault?.kind !== 'duplicate') return send(sent);
    const outcomes: AttemptOutcome[] = [];
    if (fault.concurrently === true) {
      outcomes.push(...(await Promise.all(Array.from({ length: fault.copies }, () => send(sent)))));
    } else {
      for (let copy = 0; copy < fault.copies; copy += 1) outcomes.push(await send(sent));
    }
    const isDelivered = (one: AttemptOutcome): boolean => one.kind === 'answered' && one.status === 200;
    return outcomes.find(isDelivered) ?? outcomes[0] ?? ({ kind: 'failed', reason: 'lost' } satisfies AttemptOutcome);
  };

  /** Resolves to false if no attempt was made. */
  const attempt = async (delivery: Delivery, webhook: Webhook): Promise<boolean> => {
    const event = find(state.events, delivery.event, 'Event');
    const at = shop.now();
    const isTooOld = at - event.at > MAX_AGE_MS;
    if (isTooOld || webhook.status === 'disabled') {
      shop.change(() => Object.assign(delivery, { state: 'given_up', nextAttemptAt: undefined }));
      return false;
    }
    const fault = faults.nextDelivery(event);
    if (fault?.kind === 'delay') {
      shop.change(() => Object.assign(delivery, { nextAttemptAt: at + fault.ms }));
      return false;
    }
    const outcome = await post(webhook.url, event, webhook.secret, fault);
    // An attempt that is cut off because the process ends is made again after the next start.
    if (closing.signal.aborted) return false;
    shop.change(() => record(delivery, { at, manual: false, outcome }));
    if (delivery.state !== 'delivered') log(`${event.type} ${event.id}: ${describeOutcome(outcome)}`);
    return true;
  };

  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    open.add(work);
    try {
      return await work;
    } finally {
      open.delete(work);
    }
  };

  const endpointOf = (delivery: Delivery): Webhook | undefined =>
    state.webhooks.find(({ id }) => id === delivery.webhook);

  /** The due deliveries that have an address. After a start, the endpoint of the settings has none until `deliverTo`. */
  const dueNow = (): readonly Delivery[] =>
    state.deliveries
      .filter(({ id, nextAttemptAt }) => nextAttemptAt !== undefined && nextAttemptAt <= shop.now() && !sending.has(id))
      .filter((delivery) => endpointOf(delivery)?.url !== '')
      .toSorted((one, other) => (one.nextAttemptAt ?? 0) - (other.nextAttemptAt ?? 0));

  const deliver = async ({ order, concurrently = false }: DeliverOptions): Promise<readonly Delivery[]> => {
    const due = order ? order(dueNow()) : dueNow();
    for (const { id } of due) sending.add(id);
    const attempted: Delivery[] = [];
    const one = async (delivery: Delivery): Promise<void> => {
      try {
        const webhook = endpointOf(delivery);
        if (!webhook) {
          shop.change(() => Object.assign(delivery, { state: 'given_up', nextAttemptAt: undefined }));
        } else if (!closing.signal.aborted && (await attempt(delivery, webhook))) attempted.push(delivery);
      } finally {
        sending.delete(delivery.id);
      }
    };
    if (concurrently) await Promise.all(due.map(one));
    else for (const delivery of due) await one(delivery);
    return attempted;
  };

  const resend = async (eventId: string, { url, fault }: ResendOptions): Promise<AttemptOutcome> => {
    const event = find(state.events, eventId, 'Event');
    const delivery = state.deliveries.find((one) => one.event === eventId);
    const webhook = state.webhooks.find(({ id }) => id === delivery?.webhook) ?? settingsWebhook(shop);
    const target = url ?? webhook?.url ?? '';
    if (!webhook || target === '') throw new Refusal('no_endpoint', 'No endpoint to send the event to');
    const at = shop.now();
    const outcome = await post(target, event, webhook.secret, fault);
    if (delivery && url === undefined) shop.change(() => record(delivery, { at, manual: true, outcome }));
    return outcome;
  };

  return {
    deliverDue: (options = {}) => tracked(deliver(options)),
    resend: (eventId, options = {}) => tracked(resend(eventId, options)),
    signed: (eventId, fault) => {
      const secret = settingsWebhook(shop)?.secret ?? '';
      return signedRequest(find(state.events, eventId, 'Event'), secret, fault);
    },
    close: async () => {
      closing.abort();
      await Promise.allSettled(open);
    },
  };
};
