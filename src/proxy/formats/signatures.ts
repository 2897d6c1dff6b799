import type { Signature } from './conversation.ts';

const PREFIX = 'kissapi.';
const origins: readonly Signature['from'][] = ['anthropic', 'gemini', 'openai'];

/**
 * A signature as the text of a format whose own signatures are of `native`. The name of any other provider is put in front
 * of its signature, and `readSignature` finds it there.
 */
export const writtenSignature = ({ from, value }: Signature, native: Signature['from']): string =>
  from === native ? value : `${PREFIX}${from}.${value}`;

/** The reverse of `writtenSignature`. */
export const readSignature = (text: string, native: Signature['from']): Signature => {
  const from = origins.find((origin) => text.startsWith(`${PREFIX}${origin}.`));
  return from ? { from, value: text.slice(PREFIX.length + from.length + 1) } : { from: native, value: text };
};
