import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../../src/config/catalogue.ts';
import { linesOf, ratesOf } from '../../../src/domain/prices/lines.ts';
import { PRICES_STREAM, priceDecider, type PriceCommand } from '../../../src/domain/prices/decide.ts';
import { proposedEntry } from '../../../src/domain/prices/proposals.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { openLog } from '../../support/stores/log.ts';
import { migrateRuns } from '../../../src/reactions/runs/runs.ts';
import { runCommand } from '../../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;

/** Two models of the catalogue are listed: one at its cost, the other at less. */
beforeAll(async () => {
  database = await createMigratedDatabase();
  await migrateRuns(database.url);
  const store = openLog(database.url);
  const committer = createCommitter({ store });
  const prices = createCommands({ store, committer, codec: journal, decider: priceDecider });
  const at = new Date('2026-01-01T00:00:00Z');
  const listed = (await readCatalogue()).filter(({ model: { model } }) => ['gpt-4o', 'gpt-4o-mini'].includes(model));
  for (const { model } of listed) {
    const entry = proposedEntry(model, 0n);
    const lines = model.model === 'gpt-4o' ? linesOf({ ...ratesOf(entry.lines), output: 8_000_000n }) : entry.lines;
    const command: PriceCommand = { type: 'ListPrice', entry: { ...entry, lines }, effectiveFrom: at, at };
    await prices.execute(PRICES_STREAM, command, { actor: 'test', commandId: model.model });
  }
  await committer.close();
  await store.close();
});
afterAll(() => database.drop());

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('prices', args, { env: { DATABASE_URL: database.url, KISSAPI_DATA: '/nonexistent', ...env } });
const linesIn = (text: string): readonly string[] => text.trimEnd().split('\n');
/** Times that depend on the clock. */
const withoutTimes = (text: string): string => text.replaceAll(/\d{4}-\S+Z/g, 'TIME');

describe('prices list', () => {
  it('prints the prices in force with the least margin over the cost', async () => {
    const { code, stdout, stderr } = await run(['list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(linesIn(stdout)).toEqual([
      'USD per million tokens',
      '',
      'model        version  since                     input  cached  cache write  output  reasoning  margin %  ends',
      'gpt-4o             1  2026-01-01T00:00:00.000Z   2.50    1.25         2.50    8.00      10.00     -20.0',
      'gpt-4o-mini        1  2026-01-01T00:00:00.000Z   0.15   0.075         0.15    0.60       0.60       0.0',
    ]);
  });
});

describe('prices proposals, announce, upcoming and withdraw', () => {
  it('prints what the catalogue and the margin propose', async () => {
    const { code, stdout } = await run(['proposals']);
    expect(code).toBe(0);
    expect(linesIn(stdout)[3]).toMatch(
      /^gpt-4o {2}2\.50 \/ 1\.25 \/ 2\.50 \/ 8\.00 \/ 10\.00 {2} +2\.50 \/ 1\.25 \/ 2\.50 \/ 10\.00 \/ 10\.00 {2}.* -20\.0 {2}14 days$/,
    );
    expect(linesIn(stdout)).toHaveLength(6);
    const { stdout: dearer } = await run(['proposals'], { PRICE_MARGIN_PERCENT: '10' });
    expect(dearer).toContain('0.165 / 0.0825 / 0.165 / 0.66 / 0.66');
    expect((await run(['proposals'], { PRICE_MARGIN_PERCENT: '-1' })).code).toBe(2);
  });

  it('announces what is proposed, and states whether customers get a mail', async () => {
    expect((await run(['upcoming'])).stdout).toBe('Nothing is announced.\n');
    const { code, stdout, stderr } = await run(['announce', 'gpt-4o']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(withoutTimes(stdout)).toBe(
      'gpt-4o: 2.50 / 1.25 / 2.50 / 10.00 / 10.00 from TIME, as version 2. It can cost more than before: customers that ' +
        'used the model in the last 90 days get a mail now.\n',
    );
    expect((await run(['proposals'])).stdout).toMatch(
      /^There are no proposals: every listed price is the cost in the catalogue/,
    );
    expect((await run(['announce', '--all'])).stdout).toBe('Nothing to do: there are no proposals.\n');
    expect(withoutTimes((await run(['upcoming'])).stdout)).toContain('TIME  gpt-4o  2        can cost more');
  });

  it('withdraws what was announced', async () => {
    expect((await run(['withdraw', 'gpt-4o', '2', '--reason', 'A typo'])).stdout).toBe(
      'Version 2 of the price of gpt-4o is withdrawn: the price before it stays in force.\n',
    );
    expect((await run(['withdraw', 'gpt-4o', '2', '--reason', 'A typo'])).stdout).toMatch(/^Nothing to do: /);
    expect((await run(['upcoming'])).stdout).toBe('Nothing is announced.\n');
  });

  it('announces a price that the operator names: the other classes follow input and output', async () => {
    const { stdout } = await run(['set', 'gpt-4o-mini', '--input', '0.07', '--output', '0.6']);
    expect(withoutTimes(stdout)).toBe(
      'gpt-4o-mini: 0.07 / 0.07 / 0.07 / 0.60 / 0.60 from TIME, as version 2. It costs no more than before, so no mail is ' +
        'sent.\n',
    );
  });

  it.each([
    [['announce'], /name models, or use --all/],
    [['announce', 'gpt-4o', '--all'], /name models, or use --all/],
    [['announce', 'nothing'], /Nothing is proposed for nothing/],
    [['announce', 'gpt-4o', '--at', '2026-06-01T00:00:00Z'], /after a minute at the earliest/],
    [['set', 'nothing', '--input', '1', '--output', '1'], /no model nothing/],
    [['set', 'gpt-4o', '--input', '1'], /--output/],
    [['set', 'gpt-4o', '--input', '-1', '--output', '1'], /decimal USD per million tokens/],
    [['withdraw', 'gpt-4o', '7', '--reason', 'x'], /no such version/],
    [['withdraw', 'gpt-4o', '0', '--reason', 'x'], /version of a price/],
    [['withdraw', 'gpt-4o', '1', '--reason', 'x'], /after a minute at the earliest/],
  ])('exits with 2 and states why: %j', async (args, words) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
