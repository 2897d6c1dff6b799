import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isWellFormed, newToken } from '../../../src/eventstore/secrets/token-format.ts';

const format = { prefix: 'kiss_live_', randomCharacters: 32 };

describe('a token', () => {
  it('has a prefix, random characters and a checksum', () => {
    const token = newToken(format, randomBytes);
    expect(token).toMatch(/^kiss_live_[0-9A-Za-z]{38}$/);
    expect(isWellFormed(format, token)).toBe(true);
    expect(newToken(format, randomBytes)).not.toBe(token);
  });

  it('has the checksum that API keys have had since the first release', () => {
    expect(newToken(format, (size) => Buffer.alloc(size, 7))).toBe('kiss_live_777777777777777777777777777777772bRnSH');
  });

  it('has each character with the same probability: bytes that would prefer some are drawn again', () => {
    const draws = [Buffer.from([248, 255, 61, 62]), Buffer.from([254, 247, 0, 9])];
    const token = newToken({ prefix: '', randomCharacters: 4 }, () => draws.shift() ?? Buffer.alloc(0));
    expect(token.slice(0, 4)).toBe('z0z0');
  });

  it('is not well-formed with another prefix, length, checksum or alphabet', () => {
    const token = newToken(format, randomBytes);
    for (const other of [
      ...[token.slice(1), token.slice(0, -1), `${token}0`, `${token}\n`, ` ${token}`, token.replace('live', 'test')],
      ...[`${token.slice(0, 12)}-${token.slice(13)}`, token.toLowerCase(), '', format.prefix],
    ]) {
      expect(isWellFormed(format, other)).toBe(false);
    }
    expect(isWellFormed({ ...format, prefix: 'kiss_test_' }, token)).toBe(false);
    expect(isWellFormed({ ...format, randomCharacters: 43 }, token)).toBe(false);
  });
});
