import { unsupported, type BadRequest, type Job } from '../formats/format.ts';
import { isThere, shown } from '../json/untyped-json.ts';

/** In-memory retention is the default of providers. */
const ORDINARY_RETENTION: readonly unknown[] = ['in_memory', 'in-memory'];

/** A cache lifetime whose price is not the listed one. */
export const unpricedCache = (
  { cacheLifetimes }: Pick<Job, 'cacheLifetimes'>,
  cacheTtls: readonly string[],
): BadRequest | undefined => {
  for (const { param, value } of cacheLifetimes) {
    const isTtl = param.endsWith('ttl');
    const priced = isTtl ? cacheTtls : ORDINARY_RETENTION;
    if (!isThere(value) || priced.includes(value as string)) continue;
    const sold = isTtl && cacheTtls.length > 0 ? `, or send ${cacheTtls.map(shown).join(' or ')}` : '';
    return unsupported(param, `${shown(value)} has no price here. Leave it out${sold}.`);
  }
  return undefined;
};
