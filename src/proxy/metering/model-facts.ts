import type { PriceVersion } from '../../domain/prices/price-book.ts';

/** What the catalogue states about a model beside its price. Without a fact, the most expensive case is assumed. */
export type ModelFacts = {
  /**
   * `none`: the model never reasons. `streamed`: it streams all reasoning that it bills. `hidden` (if unknown): it may bill
   * reasoning that it does not stream, so its output cannot be metered as it comes.
   */
  readonly reasoning?: 'none' | 'streamed' | 'hidden' | undefined;
  /** Whether the provider's limit on output excludes reasoning, so that only the model's largest output bounds it. */
  readonly limitLeavesReasoningOut?: boolean | undefined;
  /** Whether a budget of tokens sets how much the model thinks, and it has no effort. Of Anthropic's models only. */
  readonly thinksByBudget?: boolean | undefined;
  /** `o200k`: the model counts tokens as the gateway does. */
  readonly tokenizer?: 'o200k' | undefined;
  /** How the provider counts the tokens of a picture. */
  readonly pictures?: PictureRule | undefined;
  /** How it counts sound, and whether it bills sound at the price of text, the only one in the price book. */
  readonly sound?: { readonly tokensPerSecond: number; readonly atPriceOfText: boolean } | undefined;
};

/** The rules themselves, with their sources: `media/picture-tokens.ts`. */
export type PictureRule =
  | { readonly rule: 'tiles'; readonly base: number; readonly perTile: number; readonly least?: number | undefined }
  /** `budget`: the most patches, null without a bound; `detailBudget`: the same if the request names a detail. */
  | {
      readonly rule: 'patches';
      readonly multiplier: number;
      readonly budget: number | null;
      readonly detailBudget?: number | undefined;
    }
  | { readonly rule: 'pixels'; readonly budget: number }
  | { readonly rule: 'cropped_tiles'; readonly perTile: number; readonly maxTiles: number; readonly least: number }
  | { readonly rule: 'fixed'; readonly most: number; readonly least: number };

export type SoldModel = PriceVersion & ModelFacts;

export const hidesReasoning = ({ reasoning = 'hidden' }: Pick<ModelFacts, 'reasoning'>): boolean =>
  reasoning === 'hidden';
