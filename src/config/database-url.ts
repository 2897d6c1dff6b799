import { accessSync, constants } from 'node:fs';

/** Why a connection URL cannot be used. The message never repeats the URL, which may hold a password. */
export class InvalidDatabaseUrl extends Error {
  override readonly name = 'InvalidDatabaseUrl';
}

const refuse = (why: string): never => {
  throw new InvalidDatabaseUrl(why);
};

const EXAMPLE = 'postgres://user:password@host:5432/database';
/** Scheme, user information, host and port, path, parameters. */
const PARTS = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/;

/**
 * Parses a connection URL in the forms of libpq and returns it in a form that the driver and `URL` accept: the directory
 * of a socket becomes the percent-encoded host. Throws InvalidDatabaseUrl.
 */
export const parseDatabaseUrl = (text: string): string => {
  const parts =
    PARTS.exec(text.trim()) ?? refuse(`must be a URL such as ${EXAMPLE}, with special characters of a password as %XX`);
  const [, userInfo = '', authority = '', path = '', query = ''] = parts;
  const parameters = new URLSearchParams(query);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === null || value === '' ? undefined : value;
  };

  const several = 'names several hosts: name one, such as a proxy that follows the primary';
  if (authority.includes(',')) refuse(several);
  const [, hostName = '', portNumber = ''] = HOST_AND_PORT.exec(authority) ?? refuse('has an invalid host');
  const host = take('host') ?? decoded(hostName);
  const port = take('port') ?? portNumber;
  if (`${host}${port}`.includes(',')) refuse(several);
  if (!host.startsWith('/') && /[\s@/\\]/.test(host)) refuse('has an invalid host');
  if (port !== '' && !(/^\d+$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) {
    refuse('has a port that is not a number from 1 to 65535');
  }
  const [user = '', ...password] = userInfo.split(':');
  const login = {
    user: take('user') ?? decoded(user),
    password: take('password') ?? decoded(password.join(':')),
  };
  const database = take('dbname') ?? decoded(path);
  checkParameters(parameters);

  const normal = `postgres://${written(login)}${place(host, port, login.user !== '')}/${encodeURIComponent(database)}`;
  const rest = parameters.size === 0 ? '' : `?${parameters.toString().replaceAll('+', '%20')}`;
  if (!URL.canParse(normal)) refuse(`has an invalid host; an example of a URL is ${EXAMPLE}`);
  return normal + rest;
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse('has a % that is not followed by two hexadecimal digits');
  }
};

const written = ({ user, password }: { readonly user: string; readonly password: string }): string => {
  if (user === '' && password === '') return '';
  return `${encodeURIComponent(user)}${password === '' ? '' : `:${encodeURIComponent(password)}`}@`;
};

const place = (host: string, port: string, hasUser: boolean): string => {
  const at = port === '' ? '' : `:${port}`;
  // Without host and user the driver reads PGHOST and PGPORT.
  if (host === '') return hasUser || at !== '' ? `localhost${at}` : '';
  if (host.includes(':')) return `${host.startsWith('[') ? host : `[${host}]`}${at}`;
  return `${encodeURIComponent(host)}${at}`;
};

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
/** The driver verifies the certificate in these modes, but warns that a later version may not. */
const VERIFIED = ['allow', 'prefer', 'require', 'verify-ca'];
/** Parameters of libpq that the driver ignores, and that change which server is used or trusted. */
const NOT_SUPPORTED = ['service', 'servicefile', 'passfile', 'hostaddr', 'sslcrl', 'sslcrldir', 'requirepeer'];

const checkParameters = (parameters: URLSearchParams): void => {
  for (const name of NOT_SUPPORTED) {
    if (parameters.has(name)) refuse(`has the parameter ${name}, which is not supported`);
  }
  const mode = parameters.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode)) refuse(`has an sslmode that is not one of ${SSL_MODES.join(', ')}`);
  if (mode !== null && VERIFIED.includes(mode) && parameters.get('uselibpqcompat') !== 'true') {
    parameters.set('sslmode', 'verify-full');
  }
  // Node.js includes the certificate authorities of the web.
  if (parameters.get('sslrootcert') === 'system') parameters.delete('sslrootcert');
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    const file = parameters.get(name);
    if (file !== null && !isReadable(file)) refuse(`names the file ${file} as ${name}, which cannot be read`);
  }
};

const isReadable = (file: string): boolean => {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};
