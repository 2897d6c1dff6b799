import type { ManagementDeps } from './deps.ts';

const WITHIN_MS = 5000;

/** Waits until the look-ups of this node have followed the log to a position; false after 5 s. The log has it anyway. */
export const published = async ({ publishKey }: ManagementDeps, position: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, WITHIN_MS, false)));
  const known = publishKey(position).then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([known, tooLong]);
  } finally {
    clearTimeout(timer);
  }
};
