export type UnfitEventStoreCode =
  | 'event_store_unreachable'
  | 'event_store_read_only'
  | 'event_store_access_denied'
  | 'event_store_append_limit'
  | 'event_store_clock_differs'
  | 'event_store_limits_streams'
  | 'event_store_unprotected';

/** Codes of states that can pass: a server that starts, an election, a clock that is set again. */
const PASSING: readonly UnfitEventStoreCode[] = [
  'event_store_unreachable',
  'event_store_read_only',
  'event_store_clock_differs',
];

/** Fault: EventStoreDB cannot keep the log safely, or not now. The message names the cause and the remedy. */
export class UnfitEventStore extends Error {
  override readonly name = 'UnfitEventStore';
  readonly code: UnfitEventStoreCode;

  constructor(code: UnfitEventStoreCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether waiting may help. */
  get mayPass(): boolean {
    return PASSING.includes(this.code);
  }
}
