import { describe, expect, it } from 'vitest';
import { databaseFaultInWords } from '../../../src/eventstore/postgres/database/database-faults.ts';

const url = 'postgres://u:s3cret@db.example:5432/d';
const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('a database that cannot be used', () => {
  it.each<[string, Error, RegExp]>([
    [
      'has no TLS',
      new Error('The server does not support SSL connections'),
      /^The server at db\.example:5432 does not offer TLS, and sslmode in DATABASE_URL requires it.*sslmode=disable\.$/,
    ],
    [
      'has a certificate of its own',
      failure('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'),
      /^The TLS certificate .*self-signed certificate.*sslrootcert, or set sslmode=no-verify\.$/,
    ],
    [
      'is behind a pooler that refuses a startup parameter',
      failure('08P01', 'unsupported startup parameter: statement_timeout'),
      /rejects the startup parameter statement_timeout.*ignore_startup_parameters/,
    ],
    [
      'is not there',
      failure('ECONNREFUSED', 'connect ECONNREFUSED'),
      /cannot be reached: connect ECONNREFUSED\. Check/,
    ],
    ['does not exist', failure('3D000', 'database "d" does not exist'), /cannot be reached: database "d" does not/],
  ])('is described in one line without a secret if it %s', (_, error, words) => {
    for (const one of [error, new Error('the log cannot be opened', { cause: error })]) {
      const line = databaseFaultInWords(one, url);
      expect(line).toMatch(words);
      expect(line).not.toMatch(/s3cret|\n/);
    }
  });

  it('is not the cause of another error', () => {
    expect(databaseFaultInWords(new TypeError('a fault of ours'), url)).toBeUndefined();
  });
});
