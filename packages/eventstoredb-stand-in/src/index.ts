export { startEventStoreDbStandIn } from './stand-in.ts';
export type { EventStoreDbStandIn, EventStoreDbStandInOptions } from './stand-in.ts';
export type { AppendRefusal } from './faults.ts';
