import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Random } from '../random.ts';

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
};

/**
 * A port that no process listens on. The range is below that of outgoing connections: while a server is away, no other
 * process may get its port, or connect to itself on it.
 */
export const freePort = async (
  random: Random,
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
): Promise<number> => {
  for (;;) {
    const port = random.between(lowest, highest);
    if (await isFree(port)) return port;
  }
};
