import type { ManagementDeps } from './deps.ts';

const WITHIN_MS = 5000;

/** Waits until this node knows of a key what the log says; false where that takes too long, for the log has it anyway. */
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
