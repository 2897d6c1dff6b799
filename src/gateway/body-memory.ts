import { InvalidConfig, type Config } from '../config/config.ts';
import { leastBodyMemory } from '../http/server/body-memory.ts';

const DEFAULT_BYTES = 512 * 1024 * 1024;

/**
 * The memory for the bodies of all requests. Throws InvalidConfig if MAX_BODY_MEMORY_BYTES is too small for one body of
 * MAX_BODY_BYTES.
 */
export const bodyMemoryBytes = ({
  maxBodyBytes,
  maxBodyMemoryBytes,
}: Pick<Config, 'maxBodyBytes' | 'maxBodyMemoryBytes'>): number => {
  const least = leastBodyMemory(maxBodyBytes);
  const bytes = maxBodyMemoryBytes ?? Math.max(DEFAULT_BYTES, least);
  if (bytes >= least) return bytes;
  throw new InvalidConfig(
    `MAX_BODY_MEMORY_BYTES: must be at least ${least}, the memory for one body of MAX_BODY_BYTES (${maxBodyBytes})`,
  );
};
