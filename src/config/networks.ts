import { isIP } from 'node:net';
import { z } from 'zod';

/** An address, or a network such as 10.0.0.0/8. */
const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
};

/** Addresses and networks, separated by commas. */
export const networks = z.string().transform((text, context): readonly string[] => {
  const all = text.split(',').map((one) => one.trim());
  const wrong = all.find((one) => !isNetwork(one));
  if (wrong === undefined) return all;
  const message = `"${wrong}" is neither an IP address nor a network such as 10.0.0.0/8`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
