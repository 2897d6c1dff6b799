import { asList, field, isThere } from '../../json/untyped-json.ts';

type Usage = Readonly<Record<string, unknown>>;

/**
 * A usage report on top of an earlier one of the same message. Numbers are totals of the message so far: they replace the
 * earlier ones, and fields that are left out or null keep them.
 */
export const usageAfter = (earlier: Usage, report: unknown): Usage => {
  if (typeof report !== 'object' || report === null) return earlier;
  return { ...earlier, ...Object.fromEntries(Object.entries(report).filter(([, value]) => isThere(value))) };
};

/** Further runs, which Anthropic bills beside the message, and leaves out of its totals. */
const billedBeside: readonly unknown[] = ['compaction', 'advisor_message'];
const counts = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens'] as const;

/** A report whose totals include all runs that are billed. */
export const withIterations = (report: Usage): Usage => {
  const beside = asList(report['iterations']).filter((one) => billedBeside.includes(field(one, 'type')));
  if (beside.length === 0) return report;
  const totals = counts.map((name) => [
    name,
    [report, ...beside].reduce((sum: number, one) => sum + numberIn(one, name), 0),
  ]);
  // The split by lifetimes is that of the message alone.
  return { ...report, ...(Object.fromEntries(totals) as Usage), cache_creation: null };
};

const numberIn = (usage: unknown, name: string): number => {
  const value = field(usage, name);
  return typeof value === 'number' ? value : 0;
};
