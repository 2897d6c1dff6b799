import type { IncomingMessage } from 'node:http';

/** Whether the address at this distance from the gateway is a proxy that is trusted. */
export type TrustsProxy = (address: string, distance: number) => boolean;

/** The address of the client, as Express computes it, for requests that do not go through Express. */
export const clientAddress = ({ socket, headers }: IncomingMessage, trusts: TrustsProxy): string | undefined => {
  const direct = socket.remoteAddress;
  const forwarded = headers['x-forwarded-for'];
  if (direct === undefined || typeof forwarded !== 'string' || !trusts(direct, 0)) return direct;
  let address = direct;
  for (const [index, one] of forwarded.split(',').toReversed().entries()) {
    address = one.trim();
    if (!trusts(address, index + 1)) break;
  }
  return address;
};
