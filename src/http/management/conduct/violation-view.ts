import { z } from 'zod';
import { violationCategories, violationConsequences } from '../../../domain/account/conduct/events.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { time } from '../router/fields.ts';

/** Ids derive from each other, so that the event of a violation can be found by its id. On disk: do not change. */
export const violationIdOf = (commandId: string): string => derivedId('vio', commandId);
export const commandIdOfViolation = (violationId: string): string => derivedId('violation', violationId);

export const violationId = z.string().meta({ description: 'Violation', example: 'vio_4d2c81f0a97b4e63b5e10c7a' });

export const violationView = z
  .strictObject({
    violation_id: violationId,
    category: z.enum(violationCategories),
    evidence: z.array(z.string()).meta({ description: 'Ids of generations, requests, keys and contacts' }),
    consequence: z.enum(violationConsequences),
    reason: z.string(),
    recorded_by: z.string().meta({ description: 'The actor', example: 'staff:per_5b0d27c41e8f4a96b3c7d810' }),
    time,
  })
  .meta({ id: 'Violation' });

export type ViolationView = z.output<typeof violationView>;

export const violationExample: ViolationView = {
  violation_id: 'vio_4d2c81f0a97b4e63b5e10c7a',
  category: 'resale',
  evidence: ['key_8d2b64f09c1e4a7fb35d6c81', 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d'],
  consequence: 'suspension',
  reason: 'The key is offered for sale on a public page',
  recorded_by: 'staff:per_5b0d27c41e8f4a96b3c7d810',
  time: '2026-01-31T11:00:00.000Z',
};
