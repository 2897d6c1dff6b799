/** What stands in the place of a secret. */
const HIDDEN = '[hidden]';

/** Keys of this gateway, of providers and of payment partners, by how they begin; and tokens of other kinds. */
const PREFIXED =
  /\b(?:kiss|sk|rk|pk|gsk|xai|pplx|hf|r8|nvapi|creem|whsec|ghp|glpat|eyJ|AIza|AQ)(?:[-_.]|(?<=eyJ|AIza))[\w.~+/=-]{6,}/g;
/** `scheme://user:password@host`, and a password among the parameters. */
const PASSWORD_IN_URL = /(\b[a-z][a-z\d+.-]*:\/\/[^\s:/@]*:)[^\s/]+(?=@)/gi;
const NAMED =
  /\b((?:password|passwd|secret|token|api[-_]?key|pepper|authorization)["']?\s*[=:]\s*["']?)(?:Bearer\s+)?[^\s"'&]{4,}/gi;
const BEARER = /\b(Bearer\s+)[^\s"']+/gi;

/** As long as the secrets of this gateway at the least, and of nothing but such characters. */
const OPAQUE = /^[\w+/=.~-]{32,}$/;
/** Ids of ours and of providers, paths and UUIDs, which may be as long. */
const NO_SECRET =
  /^(?:(?:acc|gen|key|lot|req|run|per|log)[-_]|chatcmpl-|cmpl-|resp_|msg_|[.~]{0,2}\/|--?[a-z-]+$|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$)|\.\w{1,5}$/i;

const opaqueIn = (argument: string): readonly string[] =>
  [argument, argument.slice(argument.indexOf('=') + 1)].filter((text) => OPAQUE.test(text) && !NO_SECRET.test(text));

/** A text for people without what is or may be a secret: arguments are pasted, and errors are pasted on into tickets. */
export const redact = (text: string, args: readonly string[]): string => {
  const known = text
    .replaceAll(PASSWORD_IN_URL, `$1${HIDDEN}`)
    .replaceAll(PREFIXED, HIDDEN)
    .replaceAll(BEARER, `$1${HIDDEN}`)
    .replaceAll(NAMED, `$1${HIDDEN}`);
  return args.flatMap(opaqueIn).reduce((redacted, secret) => redacted.replaceAll(secret, HIDDEN), known);
};

/** The errors of commander, which repeat what was given. */
export const withoutSecrets = {
  writeErr: (text: string): void => void process.stderr.write(redact(text, process.argv.slice(2))),
};
