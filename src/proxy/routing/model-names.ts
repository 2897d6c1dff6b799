import type { Sort } from './routing-wish.ts';

const sorts: Readonly<Record<string, Sort>> = { ':floor': 'price', ':nitro': 'throughput' };

/** Splits OpenRouter's `:floor` (the lowest price first) or `:nitro` (the fastest first) from the name of a model. */
export const readVariant = (name: string): { readonly model: string; readonly sort: Sort | undefined } => {
  const variant = Object.keys(sorts).find((one) => name.endsWith(one));
  return variant === undefined
    ? { model: name, sort: undefined }
    : { model: name.slice(0, -variant.length), sort: sorts[variant] };
};

/** A vendor in front, as OpenRouter writes names: `openai/gpt-4o`. */
const vendor = /^~?[a-z0-9-]+\//i;
/** A dated snapshot, as the answers of providers name their model: `-2026-08-06` or `-20260806`; or `-latest`. */
const snapshot = /-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/;

/**
 * The names under which a model may be sold, the most exact first: as written, without the vendor, without the date of a
 * snapshot, and without both.
 */
export const spellingsOf = (name: string): readonly string[] => {
  const plain = name.replace(vendor, '');
  return [...new Set([name, plain, name.replace(snapshot, ''), plain.replace(snapshot, '')])];
};
