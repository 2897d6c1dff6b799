export { ConnectionFault } from './connection-fault.ts';
export { createSimulator, type SimulatedResponse, type Simulator } from './in-process.ts';
export type { Endpoint, Knobs } from './request.ts';
export { createSimulatedServer, type LastRequest, type RequestCounts, type SimulatedServer } from './server.ts';
