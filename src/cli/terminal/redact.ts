/** Replaces a secret. */
const HIDDEN = '[hidden]';

/** Prefixes of keys of this gateway, of providers and of payment partners, and other tokens. */
const PREFIXED =
  /\b(?:kiss|sk|rk|pk|gsk|xai|pplx|hf|r8|nvapi|creem|whsec|ghp|glpat|eyJ|AIza|AQ)(?:[-_.]|(?<=eyJ|AIza))[\w.~+/=-]{6,}/g;
/** `scheme://user:password@host`, and a password among the parameters. */
const PASSWORD_IN_URL = /(\b[a-z][a-z\d+.-]*:\/\/[^\s:/@]*:)[^\s/]+(?=@)/gi;
const NAMED =
  /\b((?:password|passwd|secret|token|api[-_]?key|pepper|authorization)["']?\s*[=:]\s*["']?)(?:Bearer\s+)?[^\s"'&]{4,}/gi;
const BEARER = /\b(Bearer\s+)[^\s"']+/gi;

/** At least as long as the secrets of this gateway, and of their characters only. */
const OPAQUE = /^[\w+/=.~-]{32,}$/;
/** Ids, paths and UUIDs, which can be as long as secrets. */
const NO_SECRET =
  /^(?:(?:acc|gen|key|lot|req|run|per|log)[-_]|chatcmpl-|cmpl-|resp_|msg_|[.~]{0,2}\/|--?[a-z-]+$|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$)|\.\w{1,5}$/i;

const opaqueIn = (argument: string): readonly string[] =>
  [argument, argument.slice(argument.indexOf('=') + 1)].filter((text) => OPAQUE.test(text) && !NO_SECRET.test(text));

/** Removes text that may be a secret, because arguments and errors are copied into tickets. */
export const redact = (text: string, args: readonly string[]): string => {
  const known = text
    .replaceAll(PASSWORD_IN_URL, `$1${HIDDEN}`)
    .replaceAll(PREFIXED, HIDDEN)
    .replaceAll(BEARER, `$1${HIDDEN}`)
    .replaceAll(NAMED, `$1${HIDDEN}`);
  return args.flatMap(opaqueIn).reduce((redacted, secret) => redacted.replaceAll(secret, HIDDEN), known);
};

/** Output options of commander, whose errors repeat arguments. */
export const withoutSecrets = {
  writeErr: (text: string): void => void process.stderr.write(redact(text, process.argv.slice(2))),
};
