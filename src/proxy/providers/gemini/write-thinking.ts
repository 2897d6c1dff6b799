import type { ThinkingSetting } from '../../formats/conversation.ts';
import { refuse } from '../../formats/translating.ts';
import type { Family } from './families.ts';

/** OpenAI's names of an effort, and Google's. A level that a model does not have is refused by Google. */
const levels: Readonly<Record<string, string>> = { minimal: 'MINIMAL', low: 'LOW', medium: 'MEDIUM', high: 'HIGH' };

/** The budgets of Google's own OpenAI-shaped endpoint: https://ai.google.dev/gemini-api/docs/openai */
const budgets: Readonly<Record<string, number>> = { minimal: 1024, low: 1024, medium: 8192, high: 24_576 };

const AUTOMATIC = -1;

/** The `thinkingConfig`. `param` is the name of the effort in the customer's format. */
export const thinkingConfigOf = (setting: ThinkingSetting, { thinking }: Family, param: string) => {
  switch (setting.kind) {
    case 'off':
      // Later models think at least a little; MINIMAL is their least.
      return thinking === 'budget' ? { thinkingBudget: 0 } : { thinkingLevel: levels['minimal'] };
    case 'adaptive':
      return { includeThoughts: true, ...(thinking === 'budget' ? { thinkingBudget: AUTOMATIC } : {}) };
    case 'budget':
      return { includeThoughts: true, thinkingBudget: setting.tokens };
    case 'effort':
      return { includeThoughts: true, ...effortOf(setting.effort, thinking, param) };
  }
};

const effortOf = (effort: string, thinking: Family['thinking'], param: string) => {
  const known = Object.keys(levels);
  if (!known.includes(effort)) return refuse(param, `must be ${known.join(', ')} or none with this model.`);
  return thinking === 'budget' ? { thinkingBudget: budgets[effort] } : { thinkingLevel: levels[effort] };
};
