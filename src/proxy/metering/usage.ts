import { noUsage, type Usage } from '../../domain/money.ts';
import { readReport, type Report } from './usage-dialects.ts';

/** The limits against which a usage report is checked. */
export type Plausible = {
  /** The most tokens that the model can read and write; a report of more is rejected. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The bounds of the request, which decide between two meanings of one report. */
  readonly inputBound: number;
  readonly outputBound: number;
  /** Whether the model may bill for output that it does not stream. */
  readonly hidesReasoning: boolean;
  readonly hasOutput: boolean;
};

export type ReadUsage = {
  /** Undefined if the report is not credible. The metered usage counts instead. */
  readonly usage: Usage | undefined;
  readonly anomalies: readonly string[];
};

const notBelieved = (...anomalies: readonly string[]): ReadUsage => ({ usage: undefined, anomalies });

/** Reads the usage that an upstream reported, in any dialect, as tokens by class. */
export const readUsage = (value: unknown, plausible: Plausible): ReadUsage => {
  if (value === undefined || value === null) return notBelieved('usage_missing');
  const report = readReport(value);
  if (report?.input === undefined) return notBelieved('usage_invalid');
  const caches = cachesOf(report);
  const { inputBeside, thoughtsBeside, isExplained } = composition(report, caches, plausible);
  const input = report.input + (report.toolInput ?? 0) + inputBeside;
  const remainder = isExplained ? 0 : (report.total ?? 0) - input - (report.output ?? 0);
  const { output, reasoning, anomalies } = outputOf(report, thoughtsBeside, remainder, plausible);

  const isBeyond = input > plausible.inputTokens || output > plausible.outputTokens;
  const most = plausible.inputTokens + plausible.outputTokens;
  if (isBeyond || (report.total ?? 0) > most) return notBelieved('usage_beyond_context');
  // No model answers without input; Ollama reported no prompt tokens if the prompt was cached.
  if (input === 0 && output > 0) return notBelieved('usage_without_input');
  if (output === 0 && plausible.hasOutput) return notBelieved('usage_without_output');
  const { cached, written } = caches;
  if (cached + written > input) return notBelieved(...anomalies, 'usage_details_exceed_total');
  const uncached = input - cached - written;
  return {
    usage: { input: uncached, cachedInput: cached, cacheWrite: written, output: output - reasoning, reasoning },
    // The price book has one price of cache writes: that of the shortest time.
    anomalies: (report.writtenForHours ?? 0) > 0 ? [...anomalies, 'cache_write_unpriced'] : anomalies,
  };
};

type Caches = {
  readonly cached: number;
  readonly written: number;
  /** What is not part of the input, by the names under which it is reported. */
  readonly beside: number;
};

const cachesOf = (report: Report): Caches => {
  const { cached = 0, cachedBeside = 0, written = 0, writtenBeside = 0 } = report;
  const allWritten = Math.max(written, writtenBeside, (report.writtenForMinutes ?? 0) + (report.writtenForHours ?? 0));
  const beside = (cachedBeside > cached ? cachedBeside : 0) + (allWritten > written ? allWritten : 0);
  return { cached: Math.max(cached, cachedBeside), written: allWritten, beside };
};

type Composition = {
  /** How many cache reads and writes are not part of the reported input. */
  readonly inputBeside: number;
  /** Whether the thoughts are not part of the reported output. */
  readonly thoughtsBeside: boolean;
  /** Whether the total then equals the sum of the classes. */
  readonly isExplained: boolean;
};

/**
 * Providers differ in whether the input includes cached tokens and the output includes thoughts. Gateways combine the
 * names of one provider with the sums of another. The total decides; if no composition matches it, the names decide.
 */
const composition = (report: Report, { cached, written, beside }: Caches, { inputBound }: Plausible): Composition => {
  const { input = 0, toolInput = 0, output = 0, total } = report;
  const thoughts = report.thoughts ?? report.reasoning ?? 0;
  const areBesideByName = report.thoughts !== undefined;
  const isPart = (inputBeside: number): boolean => cached + written - inputBeside <= input;
  const explains = (inputBeside: number, thoughtsBeside: boolean): boolean =>
    input + toolInput + inputBeside + output + (thoughtsBeside ? thoughts : 0) === total && isPart(inputBeside);
  // The names explain most reports.
  if (explains(beside, areBesideByName)) {
    return { inputBeside: beside, thoughtsBeside: areBesideByName, isExplained: true };
  }
  for (const inputBeside of total === undefined ? [] : [beside, 0, cached + written, cached, written]) {
    for (const thoughtsBeside of [areBesideByName, !areBesideByName]) {
      if (explains(inputBeside, thoughtsBeside)) return { inputBeside, thoughtsBeside, isExplained: true };
    }
  }
  const isTooMuch = input + beside > inputBound && isPart(0);
  return { inputBeside: isTooMuch ? 0 : beside, thoughtsBeside: areBesideByName, isExplained: false };
};

/**
 * Some providers count thoughts with another tokenizer than the rest, and report somewhat more thoughts than output in
 * all. None reports twice as many: then neither the completion nor the total includes the thoughts.
 */
const PART_AT_MOST = 2;

/**
 * The output, and how much of it was reasoning. A remainder of the total counts as output only if it can be unreported
 * thoughts.
 */
const outputOf = (
  report: Report,
  thoughtsBeside: boolean,
  remainder: number,
  { outputBound, hidesReasoning }: Plausible,
): { readonly output: number; readonly reasoning: number; readonly anomalies: readonly string[] } => {
  const thoughts = report.thoughts ?? report.reasoning ?? 0;
  const completion = (report.output ?? 0) + (thoughtsBeside ? thoughts : 0);
  const unnamed = remainder - (thoughtsBeside ? thoughts : 0);
  const isOutput = unnamed > 0 && hidesReasoning && completion + unnamed <= outputBound;
  const counted = completion + (isOutput ? unnamed : 0);
  const isNeither = thoughts > PART_AT_MOST * counted;
  const output = isNeither ? counted + thoughts : counted;
  const fromTotal = isOutput || (thoughtsBeside && report.thoughts === undefined && thoughts > 0);
  return {
    output,
    reasoning: Math.min(thoughts, output),
    anomalies: [
      ...(fromTotal ? ['output_taken_from_total'] : unnamed > 0 ? ['total_unexplained'] : []),
      ...(isNeither ? ['reasoning_beside_output'] : thoughts > output ? ['reasoning_beyond_output'] : []),
    ],
  };
};

/** The metered usage, if the upstream reported none: input and output without caches and reasoning. */
export const meteredUsage = (inputTokens: number, outputTokens: number): Usage => ({
  ...noUsage,
  input: inputTokens,
  output: outputTokens,
});
