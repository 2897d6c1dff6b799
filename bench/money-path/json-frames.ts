/**
 * Preloaded into a profiled process. V8 attributes its built-in functions to their callers; this makes JSON appear as
 * functions of its own.
 */
const { parse, stringify } = JSON;
JSON.parse = function jsonParse(...given: Parameters<typeof parse>): unknown {
  return parse(...given);
};
JSON.stringify = function jsonStringify(...given: [unknown]): string {
  return stringify(...given);
};
