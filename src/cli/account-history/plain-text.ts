import { formatUsd, type Credits } from '../../domain/money.ts';

/**
 * Makes external text (a reason, a name, a provider's message) safe for a terminal. A control sequence in it could
 * rewrite the lines above. Format characters are replaced too, because they can change the reading direction.
 */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\u00b7');

export const usd = (credits: Credits): string => `${formatUsd(credits)} USD`;
