import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { lotOf } from '../../../domain/account/lots.ts';
import { lotOfPayment } from '../../../domain/payments/payment.ts';
import type { Receipt } from '../../../payments/receipt/receipt.ts';
import { paymentReaders } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { openHolder } from '../accounts/holder.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, paymentId, time, usd } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { paymentOfAccount, timeOf } from './payment-history.ts';

const money = z.string().meta({ description: 'Decimal, in the currency', example: '29.75' });

const receiptView = z
  .strictObject({
    number: z.string().meta({ example: 'KR-2026-01-7790AB3E51C2' }),
    date: time.meta({ description: 'When it was credited', example: '2026-01-31T10:01:12.402Z' }),
    payment_id: paymentId,
    order_id: z.string().meta({ description: 'Order, by the id of the payment partner' }),
    account: z.strictObject({ id: accountId, holder: z.string().nullable() }),
    currency: z.string().meta({ example: 'USD' }),
    net: money,
    tax: money,
    tax_note: z.string(),
    total_paid: money,
    credited_usd: usd,
    debt_repaid_usd: usd.meta({ description: 'The part of the credits that repaid a debt at once' }),
    returned: money.meta({ description: 'Returned so far, tax included' }),
    returned_credits_usd: usd.meta({ description: 'The credits that were taken for it' }),
    seller_note: z.string(),
    simulated: z.boolean(),
  })
  .meta({ id: 'Receipt' });

const example: z.output<typeof receiptView> = {
  ...{ number: 'KR-2026-01-7790AB3E51C2', date: '2026-01-31T10:01:12.402Z' },
  ...{ payment_id: 'pay_6d1f0a93c5b24e7790ab3e51', order_id: 'ord_4aDwWXjMLpes4Kj', currency: 'USD' },
  account: { id: 'acc_3f1c9a7be2d04c5d8a6b1e20', holder: 'Ada Lovelace' },
  ...{ net: '25.00', tax: '4.75', tax_note: 'as collected by Creem', total_paid: '29.75', credited_usd: '25.00' },
  ...{ debt_repaid_usd: '0.00', returned: '0.00', returned_credits_usd: '0.00' },
  seller_note: 'Creem is the merchant of record; its invoice is the tax document.',
  simulated: false,
};

export const readReceipt = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/payments/{payment_id}/receipt',
  principals: paymentReaders(),
  summary: 'Read the receipt of a payment',
  description: 'The invoice with the tax is that of the payment partner, which is the merchant of record.',
  success: { status: 200, description: 'The receipt as it is now', schema: receiptView, example },
  problems: ['payment_not_found', 'payment_not_completed'],
  handle: async ({ params: { account_id, payment_id } }, deps) => {
    const receipt = await receiptOf(deps, account_id, payment_id);
    return isProblem(receipt) ? receipt : { answer: { ...receipt, account: { ...receipt.account } } };
  },
});

export const downloadReceipt = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/payments/{payment_id}/receipt.pdf',
  principals: paymentReaders(),
  summary: 'Download the receipt of a payment',
  success: {
    ...{ status: 200, description: 'One page of PDF', contentType: 'application/pdf' },
    ...{ schema: z.string(), example: '' },
  },
  problems: ['payment_not_found', 'payment_not_completed'],
  handle: async ({ params: { account_id, payment_id } }, deps) => {
    const receipt = await receiptOf(deps, account_id, payment_id);
    if (isProblem(receipt)) return receipt;
    const fileName = `${receipt.number}.pdf`;
    return { kind: 'download', fileName, parts: [await deps.receipts.pdf(receipt)] } as const;
  },
});

const receiptOf = async (deps: ManagementDeps, accountId: string, paymentId: string): Promise<Receipt | Problem> => {
  const history = await paymentOfAccount(deps, accountId, paymentId);
  if (isProblem(history)) return history;
  const { payment } = history;
  const { state } = await deps.commands.read(accountStream(accountId));
  const personal = state.standing.registration?.personal;
  const holder = personal === undefined ? undefined : await openHolder(deps, accountId, personal);
  const creditedAt = timeOf(history, ({ type }) => type === 'PaymentCompleted' || type === 'QuarantineReleased');
  const receipt = deps.receipts.of({
    ...{ paymentId, payment, creditedAt: creditedAt?.getTime() ?? 0, holder: holder?.name ?? null },
    debtRepaid: lotOf(state.wallet, lotOfPayment(paymentId))?.repaid ?? 0n,
    isSimulated: deps.isSimulatedPartner(payment.partner),
  });
  return receipt ?? problem('payment_not_completed');
};
