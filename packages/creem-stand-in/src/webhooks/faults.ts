import type { Mode, RefundStatus } from '../store/wire.ts';

/** What goes wrong with one attempt to deliver an event. */
export type DeliveryFault =
  /** It never arrives. Creem notices, and tries again by its schedule. */
  | { readonly kind: 'lose' }
  /** It arrives, but the response does not come back, so that Creem tries again. */
  | { readonly kind: 'lose_response' }
  /** The attempt is made this much later, by the injected clock. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The same bytes arrive `copies` times, all at once if `concurrently`. */
  | { readonly kind: 'duplicate'; readonly copies: number; readonly concurrently?: boolean }
  /** Only the first bytes arrive, as a complete request. The signature is that of the whole body or of what arrives. */
  | { readonly kind: 'truncate'; readonly bytes: number; readonly signed: 'whole' | 'truncated' }
  /** The connection ends after the first bytes of the body. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'wrong_secret' }
  | { readonly kind: 'unsigned' }
  /** The body has another `mode`, and is signed correctly. */
  | { readonly kind: 'wrong_mode'; readonly mode: Mode | 'local' | 'live' };

/** Which attempts a fault is for; without a field, any. */
export type FaultSelector = {
  readonly eventId?: string;
  readonly eventType?: string;
  /** How many attempts: 1 unless stated. */
  readonly times?: number;
};

export type ApiFault = {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** For example `/v1/refunds`. */
  readonly path: string;
  /** How many requests: 1 unless stated. */
  readonly times?: number;
  readonly how:
    | { readonly kind: 'status'; readonly status: 401 | 403 | 404 | 429 | 500 | 502 | 503 }
    /** The connection ends, or stays silent, before or after the request was carried out. */
    | { readonly kind: 'reset' | 'hang'; readonly when: 'before' | 'after' };
};

type DeliveryRule = { readonly fault: DeliveryFault; readonly selector: FaultSelector; left: number };
type ApiRule = { readonly fault: ApiFault; left: number };

/** The switches of a test. They live in memory only. */
export type Faults = {
  /** The shape of events that happen from now on. */
  shape: 'sdk' | 'documentation';
  /** The status of refunds that are asked for by the API. */
  refundStatus: RefundStatus;
  /** What moderation does instead of an answer. */
  moderation: 'works' | 'fails' | 'hangs';
  addDelivery(fault: DeliveryFault, selector: FaultSelector): void;
  nextDelivery(event: { readonly id: string; readonly type: string }): DeliveryFault | undefined;
  addApi(fault: ApiFault): void;
  nextApi(method: string, path: string): ApiFault['how'] | undefined;
  clear(): void;
};

const take = <Rule extends { left: number }>(rules: Rule[], matches: (rule: Rule) => boolean): Rule | undefined => {
  const rule = rules.find((one) => one.left > 0 && matches(one));
  if (rule) rule.left -= 1;
  return rule;
};

export const createFaults = (): Faults => {
  let deliveryRules: DeliveryRule[] = [];
  let apiRules: ApiRule[] = [];
  const faults: Faults = {
    shape: 'sdk',
    refundStatus: 'succeeded',
    moderation: 'works',
    addDelivery: (fault, selector) => void deliveryRules.push({ fault, selector, left: selector.times ?? 1 }),
    nextDelivery: ({ id, type }) =>
      take(deliveryRules, ({ selector }) => (selector.eventId ?? id) === id && (selector.eventType ?? type) === type)
        ?.fault,
    addApi: (fault) => void apiRules.push({ fault, left: fault.times ?? 1 }),
    nextApi: (method, path) =>
      take(apiRules, ({ fault }) => (fault.method ?? method) === method && fault.path === path)?.fault.how,
    clear: () => {
      deliveryRules = [];
      apiRules = [];
      faults.shape = 'sdk';
      faults.refundStatus = 'succeeded';
      faults.moderation = 'works';
    },
  };
  return faults;
};
