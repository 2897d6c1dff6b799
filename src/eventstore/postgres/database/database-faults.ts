/** Fault: the database answers, but cannot keep the log safely. The message names the cause and the remedy. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase';
  readonly code = 'unfit_database';
}

/** Fault: the database answers, but cannot be used yet. */
export class DatabaseNotReady extends Error {
  override readonly name = 'DatabaseNotReady';
  readonly code = 'database_not_ready';
}

type Plain = { readonly code: string; readonly message: string };

/** An error and its causes. Errors from a worker thread are plain objects. */
const chainOf = (error: unknown): readonly Plain[] => {
  const chain: Plain[] = [];
  for (let one = error; typeof one === 'object' && one !== null && chain.length < 10;) {
    const { code, message, cause } = one as { code?: unknown; message?: unknown; cause?: unknown };
    chain.push({
      code: typeof code === 'string' ? code : '',
      message: typeof message === 'string' ? message : '',
    });
    one = cause;
  }
  return chain;
};

/** Codes of sockets and of the resolver. A missing socket file is ENOENT. */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND)$/;
/** Connection exceptions, a server that starts or stops, too many connections (PostgreSQL documentation, appendix A). */
const NOT_NOW = /^(08(000|001|003|004|006)|57P0[1-5]|53300)$/;
/** Messages without a code, of pg, pg-pool and PgBouncer. */
const LOST = new RegExp(
  [
    'Connection terminated|timeout expired|Query read timeout|timeout exceeded when trying to connect|is not queryable',
    'connect ENOENT|not currently accepting connections',
    'server login (has been failing|failed)|cannot connect to server|server (conn|connection) (crashed|closed)|query_wait_timeout',
  ].join('|'),
);
/** No such role, password or database; a server that has become read-only. */
const CLOSED_TO_US = /^(28000|28P01|3D000|25006)$/;

const isTransient = ({ code, message }: Plain): boolean =>
  UNREACHABLE.test(code) || NOT_NOW.test(code) || code === 'database_not_ready' || LOST.test(message);

/** Whether waiting may help: the server is unreachable, starts, stops, or has no free connection. */
export const mayPass = (error: unknown): boolean =>
  !(error instanceof UnfitDatabase) && chainOf(error).some(isTransient);

/** Whether the database failed, and not one of our statements. */
export const isDatabaseAway = (error: unknown): boolean =>
  chainOf(error).some((one) => isTransient(one) || CLOSED_TO_US.test(one.code));

/** The message of the first error in the chain that gives the reason. */
export const reasonOf = (error: unknown): string => {
  const chain = chainOf(error);
  const { message, code } = chain.find((one) => isTransient(one) || CLOSED_TO_US.test(one.code)) ??
    chain[0] ?? { message: String(error), code: '' };
  // The error for a host with several addresses has no message.
  return message || code;
};

const NO_TLS = /server does not support SSL/;
const BAD_CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_|ERR_SSL_|EPROTO)/;
const UNKNOWN_PARAMETER = /unsupported startup parameter[^:]*: *(\S+)/;

/** The address in a URL, without the password. */
export const addressIn = (databaseUrl: string): string => {
  const { hostname, port } = new URL(databaseUrl);
  const host = decodeURIComponent(hostname) || 'localhost';
  return port === '' ? host : `${host}:${port}`;
};

/** A message for operators about a database that cannot be used; undefined for other errors. */
export const databaseFaultInWords = (
  error: unknown,
  databaseUrl: string,
  database = 'The database',
): string | undefined => {
  const chain = chainOf(error);
  const found = (matches: (one: Plain) => boolean): Plain | undefined => chain.find(matches);
  if (error instanceof UnfitDatabase) return error.message;
  if (found(({ message }) => NO_TLS.test(message))) {
    return (
      `The server at ${addressIn(databaseUrl)} does not offer TLS, and sslmode in DATABASE_URL requires it. ` +
      'Enable TLS on the server, or set sslmode=disable.'
    );
  }
  const certificate = found(({ code }) => BAD_CERTIFICATE.test(code));
  if (certificate) {
    return (
      `The TLS certificate of the server at ${addressIn(databaseUrl)} is not accepted: ${certificate.message}. ` +
      'Name the file of its certificate authority in DATABASE_URL with sslrootcert, or set sslmode=no-verify.'
    );
  }
  const parameter = chain.map(({ message }) => UNKNOWN_PARAMETER.exec(message)?.[1]).find((name) => name !== undefined);
  if (parameter !== undefined) {
    return (
      `The connection pooler at ${addressIn(databaseUrl)} rejects the startup parameter ${parameter}, which DATABASE_URL sets. ` +
      'Remove it from DATABASE_URL, or add it to ignore_startup_parameters of PgBouncer, which must run in session mode.'
    );
  }
  return isDatabaseAway(error) ? `${database} cannot be reached: ${reasonOf(error)}. Check DATABASE_URL.` : undefined;
};
