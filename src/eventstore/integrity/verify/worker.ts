import { parentPort, workerData } from 'node:worker_threads';
import { createPartCheck } from './part.ts';
import type { Trusted } from './range.ts';
import type { Answer, Part, Source } from './threads.ts';

/** Checks the parts that it receives, until it is terminated. */
const { source, trusted } = workerData as { readonly source: Source; readonly trusted: Trusted };
const opened = createPartCheck(source, trusted);
opened.catch(() => undefined); // Reported in the answer to the first part.

const answer = async (part: Part): Promise<void> => {
  try {
    const report = await (await opened).check(part);
    parentPort?.postMessage({ n: part.n, report } satisfies Answer, [report.streams.places.buffer]);
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ n: part.n, failed } satisfies Answer);
  }
};

parentPort?.on('message', (part: Part) => void answer(part));
