import { describe, expect, it } from 'vitest';
import { redact } from '../../../src/cli/terminal/redact.ts';

const said = (secret: string): string => redact(`There is no generation ${secret}. Check the id.`, [secret]);

describe('an error of a command', () => {
  it.each([
    ['a key of ours', 'kiss_live_8dK2sQ0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789'],
    ['a key that was cut short', 'kiss_test_8dK2sQ'],
    ['a key of OpenAI', 'sk-proj-AbCdEfGhIjKlMnOp'],
    ['a key of Anthropic', 'sk-ant-api03-AbCdEfGh_IjKl'],
    ['a key of Groq', 'gsk_AbCdEfGhIjKlMnOp'],
    ['a key of Google', 'AIzaSyAbCdEfGhIjKlMnOpQrStUvWxYz0123456'],
    ['an admin token', 'admin-token-of-the-tests-0123456789abcdef'],
    ['a token in base64', 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA='],
    ['a key in hexadecimal', '0123456789abcdef'.repeat(4)],
    ['an option with a key', '--key=kiss_live_8dK2sQ0aBcDeFg'],
    ['an option with a token', '--token=q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ'],
  ])('hides %s', (_, secret) => {
    const hidden = said(secret);
    expect(hidden).toContain('[hidden]');
    expect(hidden).not.toContain(secret.slice(secret.indexOf('=') + 1 < secret.length ? secret.indexOf('=') + 1 : 0));
  });

  it('hides the password of a URL and shows its host', () => {
    const hidden = redact('cannot reach postgres://ada:pa55@db.example:5432/kissapi?password=s3cret', []);
    expect(hidden).toContain('postgres://ada:[hidden]@db.example:5432/kissapi');
    expect(hidden).not.toMatch(/pa55|s3cret/);
  });

  it.each([
    'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
    'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
    'acc_3f1c9a7be2d04c5d8a6b1e20',
    'key_8d2b64f09c1e4a7fb35d6c81',
    'chatcmpl-BxYz123AbCdEfGhIjKlMnOpQrStUv',
    '/var/lib/kissapi/exports/of/a/long/name/log-2026-11.jsonl',
    'exports-of-the-last-month-of-the-year-2026-11.jsonl',
  ])('repeats %s, which is no secret', (id) => expect(said(id)).toContain(id));
});
