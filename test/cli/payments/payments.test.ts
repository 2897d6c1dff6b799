import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { PaymentCommand } from '../../../src/domain/payments/commands.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import { paymentStream } from '../../../src/domain/payments/payment.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { asPlain } from '../../../src/eventstore/journal/personal-data.ts';
import { openLog } from '../../support/stores/log.ts';
import { runCommand } from '../../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { usd } from '../../domain/payments/examples.ts';

let database: TestDatabase;
let standIn: CreemStandIn;
let apiUrl: string;
const KEY = 'creem_test_of_the_command';

const registered: AccountCommand = {
  ...{ type: 'RegisterAccount', holder: 'person', personal: asPlain({ name: 'Ada', email: 'a@b.c' }), adult: true },
};
const opened: PaymentCommand = { type: 'OpenPayment', accountId: 'acc_1', amount: usd(2500), partner: 'creem-test' };
const paid: PaymentCommand = {
  ...{ type: 'RecordPaid', transactionId: 'tran_1', orderId: 'ord_1', checkoutId: null },
  ...{ paid: 3000n, tax: 500n, currency: 'USD' },
};
const refund = { refundId: 'ref_1', amount: usd(1000) };

/** What happens, in order: to a payment, or to the account. */
const story: readonly (readonly [string, PaymentCommand] | AccountCommand)[] = [
  registered,
  ['pay_1', opened],
  ['pay_1', paid],
  { type: 'TopUp', lotId: 'lot_1', amount: usd(2500), source: { kind: 'payment', reference: 'pay_1' } },
  {
    ...{ type: 'HoldForRefund', reason: 'not_needed' },
    refunds: [{ refundId: 'ref_1', lotId: 'lot_1', amount: usd(1000) }],
  },
  ['pay_1', { type: 'RequestRefund', reason: 'not_needed', ...refund }],
  ['pay_1', { type: 'ApproveRefund', refundId: 'ref_1', reason: 'in \u001b[31mtime' }],
  ['pay_2', { ...opened, accountId: 'acc_2' }],
  ['pay_2', { ...paid, transactionId: 'tran_2', orderId: 'ord_2', currency: 'EUR' }],
];

beforeAll(async () => {
  database = await createMigratedDatabase();
  const store = openLog(database.url);
  const committer = createCommitter({ store });
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  const payments = createCommands({ store, committer, codec: journal, decider: paymentDecider });
  for (const [n, one] of story.entries()) {
    const metadata = { actor: 'test', commandId: `c-${n}` };
    const outcome = await ('type' in one
      ? accounts.execute(accountStream('acc_1'), one, metadata)
      : payments.execute(paymentStream(one[0]), one[1], metadata));
    expect(outcome.kind).toBe('accepted');
  }
  await committer.close();
  await store.close();
  standIn = createCreemStandIn({ apiKey: KEY, webhookSecret: 'whsec_x', seed: 'a command', now: Date.now });
  apiUrl = await standIn.listen();
});
afterAll(async () => {
  await standIn.close();
  await database.drop();
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand('payments', args, { env: { DATABASE_URL: database.url, KISSAPI_DATA: '/nonexistent', ...env } });

describe('payments list', () => {
  it('prints the newest payments, then what waits for a decision', async () => {
    const { code, stdout, stderr } = await run(['list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replaceAll(/^\S+Z /gm, '').split('\n')).toEqual([
      ' pay_2  acc_2  quarantined: 25.00 USD asked, 1 transaction in quarantine',
      ' pay_1  acc_1  completed: 25.00 USD asked, 25.00 USD credited',
      '',
      'Waiting for a decision or for the payment partner:',
      '  refunds    ref_1 of pay_1',
      '  quarantine pay_2',
      '',
    ]);
  });

  it('prints those of one account, and no more than is asked for', async () => {
    const { stdout } = await run(['list', '--account', 'acc_1']);
    expect(stdout).toContain('pay_1');
    expect(stdout).not.toContain('pay_2');
    expect((await run(['list', '--limit', '1'])).stdout).toContain('… and 1 older payment');
    expect(await run(['list', '--account', 'acc_none'])).toMatchObject({
      ...{ code: 2, stderr: 'payments: There is no account acc_none. Check the id.\n' },
    });
  });
});

describe('payments show', () => {
  it('prints what happened to the payment and to its credits, in order', async () => {
    const { code, stdout, stderr } = await run(['show', 'pay_1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replaceAll(/^\S+Z {2}/gm, '')).toBe(
      [
        'pay_1 of account acc_1 (simulated: no money has moved)',
        '',
        'acc_1 asked to top up 25.00 USD, to be paid to creem-test.  [test]',
        'Paid 30.00 USD, of which 5.00 USD are tax (transaction tran_1, order ord_1): 25.00 USD are credited.  [test]',
        'Account: Added 25.00 USD (lot_1), paid: pay_1.  [test]',
        'Account: Asked for the refund ref_1: 10.00 USD of lot_1 are held for it; the credits are not needed.  [test]',
        'Refund ref_1 of 10.00 USD requested, 12.00 with tax; the credits are not needed.  [test]',
        'Approved the refund ref_1: in ·[31mtime.  [test]',
        '',
        'It is completed.',
        '  credits    lot_1: 25.00 USD left = 25.00 paid, of which 10.00 held for refunds',
        '  next       the refund ref_1 waits for staff to refund 12.00 on the page of the payment partner',
        '',
      ].join('\n'),
    );
  });

  it('fails for a payment that does not exist', async () => {
    expect(await run(['show', 'pay_none'])).toMatchObject({
      ...{ code: 2, stderr: 'payments: There is no payment pay_none. Check the id.\n' },
    });
  });
});

describe('replay', () => {
  it('names the payment behind a lot', async () => {
    const { stdout } = await runCommand('replay', ['acc_1'], {
      env: { DATABASE_URL: database.url, KISSAPI_DATA: '/nonexistent' },
    });
    expect(stdout).toContain('are held for it; the credits are not needed. The payment is pay_1.  [test]');
    expect(stdout).toContain('Added 25.00 USD (lot_1), paid: pay_1.  [test]');
  });
});

describe('payments sweep', () => {
  const creem = () => ({
    ...{ CREEM_API_KEY: KEY, CREEM_WEBHOOK_SECRET: 'whsec_x', CREEM_PRODUCT_ID: standIn.productId },
    CREEM_API_URL: apiUrl,
  });

  it('compares with the partner, and lists transactions of no payment', async () => {
    expect(await run(['sweep'], creem())).toMatchObject({
      ...{ code: 0, stdout: 'Compared 0 transactions of the payment partner with the log.\nThe log had everything.\n' },
    });
    const response = await fetch(`${apiUrl}/v1/checkouts`, {
      ...{ method: 'POST', headers: { 'x-api-key': KEY, 'content-type': 'application/json' } },
      body: JSON.stringify({ product_id: standIn.productId, custom_price: 500 }),
    });
    const { id } = (await response.json()) as { readonly id: string };
    const outcome = standIn.control.pay(id, { email: 'ada@example.com' });
    const transactionId = outcome.kind === 'paid' ? outcome.transaction.id : '';
    const swept = await run(['sweep'], creem());
    expect(swept.code).toBe(1);
    expect(swept.stdout).toContain('Compared 1 transaction of');
    expect(swept.stdout).toContain('Unmatched: 1 transaction of no payment of ours');
    expect(swept.stderr).toContain(
      `payments: a transaction belongs to no payment of ours: transactionId ${transactionId}`,
    );
  });

  it('fails if the partner gives no answer, or does not accept our key', async () => {
    const nowhere = await run(['sweep'], { PORT: '1' });
    expect(nowhere).toMatchObject({ code: 2, stdout: '' });
    expect(nowhere.stderr).toContain('The simulated payment partner runs inside the gateway');
    const wrong = await run(['sweep'], { ...creem(), CREEM_API_KEY: 'creem_test_wrong' });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('payments: The payment partner gives no usable answer');
  });
});

describe('payments', () => {
  it.each([[[]], [['pay']], [['list', '--limit', '0']], [['show']]])(
    'fails with the usage or the error for %j',
    async (args) => {
      const { code, stderr } = await run(args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/Usage: |error: /);
    },
  );
});
