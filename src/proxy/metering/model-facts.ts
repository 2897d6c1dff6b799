import type { PriceVersion } from '../../domain/prices/price-book.ts';

/** What a catalogue states about a model that bounds and meters what it says. */
export type ModelFacts = {
  /**
   * `none`: the model never reasons. `streamed`: it streams all reasoning that it bills. `hidden`: it may bill for reasoning
   * that it does not stream, so nothing could be metered meanwhile.
   */
  readonly reasoning?: 'none' | 'streamed' | 'hidden' | undefined;
  /** Whether the provider's limit on output leaves reasoning out, so that only the model's largest output bounds it. */
  readonly limitLeavesReasoningOut?: boolean | undefined;
};

export type SoldModel = PriceVersion & ModelFacts;

/** Models that a catalogue need not describe. Any other may hide its reasoning. */
const showsAll = /^(?:.*\/)?(?:gpt-3\.5|gpt-4|chatgpt-4o|deepseek|simulated)/;

export const hidesReasoning = ({
  reasoning,
  upstreamModel,
}: Pick<SoldModel, 'reasoning' | 'upstreamModel'>): boolean =>
  reasoning === undefined ? !showsAll.test(upstreamModel) : reasoning === 'hidden';
