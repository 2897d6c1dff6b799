import { hash } from 'node:crypto';

const timeOrdered = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;

/**
 * The id of the n-th event of a command: a UUID (version 8, RFC 9562) that derives from a hash of both, so that a repeated
 * command cannot write its events twice. If the command id starts with a time-ordered UUID, the event id keeps its time, so
 * that the index of ids grows at one end.
 */
export const eventId = (commandId: string, n: number): string => {
  const digest = hash('sha256', `${commandId}#${n}`, 'hex');
  const time = timeOrdered.test(commandId) ? commandId.slice(0, 13) : `${digest.slice(0, 8)}-${digest.slice(8, 12)}`;
  return `${time}-8${digest.slice(13, 16)}-${variant(digest.charAt(16))}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
};

/** The id of what a command creates (an account, a key, a lot). The same command derives the same id. */
export const derivedId = (prefix: string, commandId: string): string =>
  `${prefix}_${hash('sha256', `${prefix}#${commandId}`, 'hex').slice(0, 24)}`;

const variant = (hexDigit: string): string => '89ab'.charAt(Number.parseInt(hexDigit, 16) % 4);
