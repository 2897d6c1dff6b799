import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { InvalidDatabaseUrl, parseDatabaseUrl } from '../../src/config/database-url.ts';

/** Where the driver would connect to. */
const read = (url: string): unknown => {
  const { host, port, user, password, database } = new pg.Client({ connectionString: parseDatabaseUrl(url) });
  return { host, port, user, password, database };
};

describe('a connection URL', () => {
  const base = { host: 'db', port: 5432, user: 'u', password: 'p', database: 'd' };
  const socket = { ...base, host: '/var/run/postgresql' };

  it.each<[string, object]>([
    ['postgres://u:p@db/d', base],
    ['postgresql://u:p@db/d', base],
    [' postgres://u:p@db/d\n', base],
    ['postgres://u:p@db:6432/d', { ...base, port: 6432 }],
    ['postgres://u:p@db/d?port=6432', { ...base, port: 6432 }],
    ['postgres://u:p@/d?host=/var/run/postgresql', socket],
    ['postgres://u:p@/d?host=%2Fvar%2Frun%2Fpostgresql&port=5433', { ...socket, port: 5433 }],
    ['postgres://u:p@:5433/d?host=/var/run/postgresql', { ...socket, port: 5433 }],
    ['postgres:///d?host=/var/run/postgresql&user=u&password=p', socket],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/d?user=u&password=p', socket],
    ['postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d', socket],
    ['postgresql:///d?user=u&password=p', { ...base, host: 'localhost' }],
    ['postgres://u:p@/d', { ...base, host: 'localhost' }],
    ['postgres://db/d?user=u&password=p', base],
    ['postgres://db?dbname=d&user=u&password=p', base],
    ['postgres://u:p@ignored/d?host=db', base],
    ['postgres://u:p%40%3A%2F%23@db/d', { ...base, password: 'p@:/#' }],
    ['postgres://u:p@q@db/d', { ...base, password: 'p@q' }],
    ['postgres://u:p@[::1]:5433/d', { ...base, host: '::1', port: 5433 }],
    ['postgres://u:p@/d?host=::1', { ...base, host: '::1' }],
    ['postgres://u%20v:p@db/my%20db', { ...base, user: 'u v', database: 'my db' }],
    ['postgres://u:p@db', { ...base, database: 'u' }],
  ])('of the form %s is accepted', (url, where) => {
    expect(read(url)).toEqual(where);
    expect(URL.canParse(parseDatabaseUrl(url))).toBe(true);
  });

  it('keeps the parameters that the driver reads', () => {
    const { searchParams } = new URL(parseDatabaseUrl('postgres://db/d?options=-c%20geqo%3Doff&sslmode=disable'));
    expect(Object.fromEntries(searchParams)).toEqual({ options: '-c geqo=off', sslmode: 'disable' });
  });

  it.each(['require', 'prefer', 'verify-ca', 'verify-full'])('verifies the certificate for sslmode=%s', (mode) => {
    expect(parseDatabaseUrl(`postgres://db/d?sslmode=${mode}`)).toBe('postgres://db/d?sslmode=verify-full');
  });

  it('uses the certificate authorities of Node.js for sslrootcert=system', () => {
    expect(parseDatabaseUrl('postgres://db/d?sslmode=verify-full&sslrootcert=system')).not.toContain('sslrootcert');
  });

  it.each([
    ['mysql://u:s3cret@db/d', 'must be a URL'],
    ['host=db password=s3cret', 'must be a URL'],
    ['db.example.com', 'must be a URL'],
    ['postgres:u:s3cret@db', 'must be a URL'],
    ['postgres://u:s3cret#@db/d', 'must be a URL'],
    ['postgres://u:s3cret@one,two/d', 'several hosts'],
    ['postgres://u:s3cret@one:5432,two:5433/d', 'several hosts'],
    ['postgres://u:s3cret@/d?host=one,two', 'several hosts'],
    ['postgres://u:s3cret@one/d?port=1,2', 'several hosts'],
    ['postgres://u:s3cret@db:99999/d', 'a port'],
    ['postgres://u:s3cret@db:port/d', 'a port'],
    ['postgres://u:s3cret@db/d?port=0', 'a port'],
    ['postgres://u:s3cret%@db/d', 'a %'],
    ['postgres://u:s3cret@d b/d', 'an invalid host'],
    ['postgres://u:s3cret@db/d?sslmode=maybe', 'sslmode'],
    ['postgres://u:s3cret@db/d?sslmode=verify-full&sslrootcert=/no/such/file', '/no/such/file as sslrootcert'],
    ['postgres://u:s3cret@db/d?service=mine', 'service'],
    ['postgres://u:s3cret@db/d?hostaddr=127.0.0.1', 'hostaddr'],
  ])('of the form %s is refused, without its password', (url, why) => {
    const failed = (): unknown => parseDatabaseUrl(url);
    expect(failed).toThrow(InvalidDatabaseUrl);
    expect(failed).toThrow(why);
    expect(failed).not.toThrow('s3cret');
  });
});
