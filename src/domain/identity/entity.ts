/** An entity as a register of companies lists it. */
export type Entity = {
  /** ISO 3166-1, two letters. */
  readonly country: string;
  /** The registration number, as the entity writes it. */
  readonly number: string;
};

/** Equal for all spellings of one registration number: blanks, dots, dashes and case do not count. */
export const canonicalEntity = ({ country, number }: Entity): string =>
  `${country.toUpperCase()}:${number
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '')}`;
