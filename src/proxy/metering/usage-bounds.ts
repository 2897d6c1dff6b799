import { noUsage, tokenClasses, type TokenClass, type Usage } from '../../domain/money.ts';

/** The most that a request can cost, in tokens. */
export type UsageBounds = { readonly input: number; readonly output: number };

export type BoundedUsage = {
  /** What the customer pays for. */
  readonly within: Usage;
  /** What is written off. */
  readonly beyond: Usage;
  readonly anomalies: readonly string[];
};

/** The most expensive classes are written off first; of the output, reasoning comes first. */
const inputClasses = ['cacheWrite', 'input', 'cachedInput'] as const;
const outputClasses = ['reasoning', 'output'] as const;

/** Splits a usage at the bounds of its request. */
export const boundedUsage = (usage: Usage, bounds: UsageBounds): BoundedUsage => {
  const { input, cachedInput, cacheWrite, output, reasoning } = usage;
  const isWithin = input + cachedInput + cacheWrite <= bounds.input && output + reasoning <= bounds.output;
  if (isWithin) return { within: usage, beyond: noUsage, anomalies: [] };
  const beyond = {
    ...noUsage,
    ...beyondBound(usage, inputClasses, bounds.input),
    ...beyondBound(usage, outputClasses, bounds.output),
  };
  const within = Object.fromEntries(tokenClasses.map((one) => [one, usage[one] - beyond[one]])) as Usage;
  const anomalies = [
    ...(inputClasses.some((one) => beyond[one] > 0) ? ['input_beyond_bound'] : []),
    ...(outputClasses.some((one) => beyond[one] > 0) ? ['output_beyond_limit'] : []),
  ];
  return { within, beyond, anomalies };
};

const beyondBound = (usage: Usage, classes: readonly TokenClass[], bound: number): Partial<Usage> => {
  let left = classes.reduce((sum, one) => sum + usage[one], 0) - bound;
  const beyond: Partial<Record<TokenClass, number>> = {};
  for (const one of classes) {
    const part = Math.min(usage[one], Math.max(0, left));
    beyond[one] = part;
    left -= part;
  }
  return beyond;
};
