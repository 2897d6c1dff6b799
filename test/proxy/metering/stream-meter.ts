import {
  createMeter,
  cutBefore,
  hasFinished,
  isReported,
  meterBatch,
  meteredSoFar,
  meterLeaving,
  type Passing,
} from '../../../src/proxy/metering/meter.ts';
import { createStreamReader } from '../../../src/proxy/providers/openai/stream-reader.ts';

const textOf = ({ event }: Passing): string => event.wire?.() ?? '';

/** A meter behind the reader of OpenAI's streams: bytes in, and what may pass out. */
export const createStreamMeter = () => {
  const meter = createMeter();
  const reader = createStreamReader();
  return Object.assign(meter, {
    feed: (piece: Uint8Array): Uint8Array | string => {
      const { events, bytes } = reader.read(piece);
      meterBatch(meter, events);
      return bytes ?? meter.passing.map(textOf).join('');
    },
    close: (): string => {
      meterBatch(meter, reader.close().events);
      return meter.passing.map(textOf).join('');
    },
    cutBefore: (delta: Passing) => cutBefore(meter, delta),
    leave: () => meterLeaving(meter),
    hasFinished: (choices: number) => hasFinished(meter, choices),
    isReported: () => isReported(meter),
    metered: () => meteredSoFar(meter),
  });
};
