import { createHash } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import type { Shop } from '../store/shop.ts';
import type { Faults } from '../webhooks/faults.ts';
import { read, text } from './fields.ts';

const UNIT_CHARACTERS = 1_000;
/** A prompt that is identical to one of the last hundred is free. */
const REMEMBERED = 100;

/** A test chooses the decision by these words. */
const MODERATION_WORDS = { deny: /\b(?:nsfw|nude|deny-me)\b/i, flag: /\b(?:gore|weapon|flag-me)\b/i };

const decisionOn = (prompt: string): 'allow' | 'deny' | 'flag' => {
  if (MODERATION_WORDS.deny.test(prompt)) return 'deny';
  return MODERATION_WORDS.flag.test(prompt) ? 'flag' : 'allow';
};

const PromptBody = z.strictObject({ prompt: z.string().min(1).max(100_000), external_id: text.optional() });

/** Only a hash of the prompt is kept. */
const unitsOf = ({ state, change }: Shop, prompt: string): number => {
  const { moderation } = state;
  const hash = createHash('sha256').update(prompt).digest('hex');
  if (moderation.screened.includes(hash)) return 0;
  const units = Math.ceil(prompt.length / UNIT_CHARACTERS);
  change(() => {
    moderation.unbilledUnits += units;
    moderation.screened = [hash, ...moderation.screened].slice(0, REMEMBERED);
  });
  return units;
};

export const moderationRoutes = (shop: Shop, faults: Faults): Router =>
  Router().post('/prompt', (request, response) => {
    const { prompt, external_id: externalId } = read(PromptBody, request.body);
    if (faults.moderation === 'hangs') return;
    if (faults.moderation === 'fails') throw new Error('Moderation is switched to fail.');
    const units = unitsOf(shop, prompt);
    const about = externalId === undefined ? {} : { external_id: externalId };
    response.json({
      ...{ id: shop.newId('mod'), object: 'moderation_result', prompt, ...about },
      ...{ decision: decisionOn(prompt), usage: { units } },
    });
  });
