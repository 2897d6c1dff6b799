/** How a family of Google's models differs in what its requests may have. */
export type Family = {
  /** `level`: effort is a `thinkingLevel`. `budget`: only a `thinkingBudget` is accepted. */
  readonly thinking: 'level' | 'budget';
  /** Whether the result of a function may have pictures; else they follow it. */
  readonly picturesInResults: boolean;
};

/** Gemini 3 and later. */
export const newest: Family = { thinking: 'level', picturesInResults: true };

/** By the beginning of the name, the same as in https://ai.google.dev/gemini-api/docs/thinking. */
const families: readonly (readonly [prefix: string, family: Family])[] = [
  ['gemini-2.', { thinking: 'budget', picturesInResults: false }],
];

export const familyOf = (model: string): Family => families.find(([prefix]) => model.startsWith(prefix))?.[1] ?? newest;
