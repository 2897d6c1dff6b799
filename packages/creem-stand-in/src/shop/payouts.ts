import { Refusal, find, iso } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Payout, PayoutLine } from '../store/state.ts';
import type { Transaction } from '../store/wire.ts';
import { CHARGEBACK_FEE, decimal, moderationFee, payoutFee, saleFee, taxOfRefund } from './amounts.ts';

type Amounts = { readonly gross: number; readonly tax: number; readonly fee: number };

const addLine = (
  shop: Shop,
  type: PayoutLine['type'],
  { gross, tax, fee }: Amounts,
  about: Partial<Pick<PayoutLine, 'transaction' | 'order' | 'requestId' | 'reference'>> & { readonly currency: string },
): void => {
  const { transaction, order, requestId, reference, currency } = about;
  const net = gross - tax - fee;
  shop.state.unpaid.push({
    at: shop.now(),
    type,
    transaction,
    order,
    requestId,
    reference,
    currency,
    gross,
    tax,
    fee,
    net,
  });
};

const aboutTransaction = ({ state }: Shop, { id, order, currency }: Transaction, reference?: string) => {
  const requestId = state.checkouts.find((checkout) => checkout.order === order)?.requestId;
  return { transaction: id, order, requestId, reference, currency };
};

export const recordSale = (shop: Shop, transaction: Transaction, requestId: string | undefined): void => {
  const { amount_paid: gross, tax_amount: tax } = transaction;
  // A checkout that a discount code made free has no fee.
  const fee = gross === 0 ? 0 : saleFee(gross);
  addLine(shop, 'payment', { gross, tax, fee }, { ...aboutTransaction(shop, transaction), requestId });
};

/** Money that goes back to a customer; if `gross` is positive, money that returns to the shop. The fee of the sale is never returned. */
export const recordReturn = (
  shop: Shop,
  type: 'refund' | 'chargeback' | 'chargeback_reversal',
  transaction: Transaction,
  gross: number,
  reference: string,
): void => {
  const tax = Math.sign(gross) * taxOfRefund(Math.abs(gross), transaction.tax_amount, transaction.amount_paid);
  addLine(shop, type, { gross, tax, fee: 0 }, aboutTransaction(shop, transaction, reference));
};

export const recordChargebackFee = (shop: Shop, transaction: Transaction, dispute: string): void =>
  addLine(
    shop,
    'chargeback_fee',
    { gross: 0, tax: 0, fee: CHARGEBACK_FEE },
    aboutTransaction(shop, transaction, dispute),
  );

/** What a payout would contain before its fee. */
export const openBalance = ({ state }: Shop, currency: string): number =>
  state.unpaid.filter((line) => line.currency === currency).reduce((sum, { net }) => sum + net, 0);

export type PayoutOptions = {
  /** USD unless stated. */
  readonly currency?: string;
  /** In cents; Creem's 50.00 unless stated. */
  readonly minimum?: number;
};

/** Pays out everything that is open, whatever its age: Creem waits seven to twelve days. Refuses less than the minimum. */
export const closePayout = (shop: Shop, { currency = 'USD', minimum = 5_000 }: PayoutOptions = {}): Payout => {
  const { state } = shop;
  const balance = openBalance(shop, currency);
  if (balance < Math.max(minimum, 1)) {
    throw new Refusal(
      'below_minimum',
      `The balance is ${decimal(balance)} ${currency}; a payout needs ${decimal(minimum)}.`,
    );
  }
  return shop.change(() => {
    const { moderation } = state;
    const screening = currency === 'USD' ? moderationFee(moderation.unbilledUnits) : 0;
    if (screening > 0) {
      addLine(shop, 'moderation_fee', { gross: 0, tax: 0, fee: screening }, { currency });
      moderation.unbilledUnits = 0;
    }
    addLine(shop, 'payout_fee', { gross: 0, tax: 0, fee: payoutFee(balance) }, { currency });
    const lines = state.unpaid.filter((line) => line.currency === currency);
    state.unpaid = state.unpaid.filter((line) => line.currency !== currency);
    const amount = lines.reduce((sum, { net }) => sum + net, 0);
    const payout = { id: shop.newId('pout'), at: shop.now(), currency, amount, lines };
    state.payouts.push(payout);
    return payout;
  });
};

const COLUMNS = [
  ...['payout_id', 'date', 'type', 'transaction_id', 'order_id', 'request_id', 'reference_id', 'currency'],
  ...['gross', 'tax', 'fee', 'net'],
];

/** Quoted if the text needs it. A text that a spreadsheet would read as a formula begins with an apostrophe. */
const cell = (text: string): string => {
  const plain = /^[=+@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};

/** The statement of a payout as CSV (RFC 4180). The nets add up to the payout. */
export const statement = ({ state }: Shop, payoutId: string): string => {
  const payout = find(state.payouts, payoutId, 'Payout');
  const rows = payout.lines.map((line) => [
    ...[payout.id, iso(line.at), line.type, line.transaction ?? '', line.order ?? '', line.requestId ?? ''],
    ...[
      line.reference ?? '',
      line.currency,
      decimal(line.gross),
      decimal(line.tax),
      decimal(line.fee),
      decimal(line.net),
    ],
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
};
