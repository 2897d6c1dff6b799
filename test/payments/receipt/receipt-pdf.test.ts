import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { receiptPdf } from '../../../src/payments/receipt/receipt-pdf.ts';
import type { Receipt } from '../../../src/payments/receipt/receipt.ts';

const example: Receipt = {
  number: 'KR-2026-11-3F9A0C1B2D4E',
  date: '2026-11-30T23:59:30.000Z',
  payment_id: 'pay_019ad3f2-7b1c-7aaa-8bbb-3f9a0c1b2d4e',
  order_id: 'ord_1',
  account: { id: 'acc_1', holder: 'Anna' },
  currency: 'USD',
  net: '25.00',
  tax: '5.00',
  tax_note: 'as collected by Creem',
  total_paid: '30.00',
  credited_usd: '25.00',
  debt_repaid_usd: '1.234567891',
  returned: '12.00',
  returned_credits_usd: '10.00',
  seller_note: 'Creem is the merchant of record; its invoice is the tax document.',
  simulated: false,
};
const withHolder = (holder: string | null): Receipt => ({ ...example, account: { id: 'acc_1', holder } });

const pagesOf = (pdf: Buffer): string | undefined => /\/Count (\d+)/.exec(pdf.toString('latin1'))?.[1];

it('gives the same bytes for the same receipt', async () => {
  const pdf = await receiptPdf(example);
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  expect((await receiptPdf(example)).equals(pdf)).toBe(true);
  expect((await receiptPdf({ ...example, simulated: true })).equals(pdf)).toBe(false);
});

it.each([
  ['of Latin letters with accents', 'Łukasz Żółć'],
  ['of Greek, Cyrillic and Hebrew letters', 'Οδυσσέας Владимир שלום'],
  ['of letters that the font lacks', '张伟 नमस्ते'],
  ['with control characters and half a surrogate pair', 'a\u0000b\n\ud83d'],
  ['of an endless name', 'Anna '.repeat(500)],
  ['of one endless word', 'W'.repeat(5000)],
  ['without a name', null],
])('has one page for a holder %s', async (_, holder) =>
  expect(pagesOf(await receiptPdf(withHolder(holder)))).toBe('1'),
);

const hasPdfToText = spawnSync('pdftotext', ['-v']).error === undefined;

describe.skipIf(!hasPdfToText)('the text of the page (needs the program pdftotext)', () => {
  const textOf = async (receipt: Receipt): Promise<string> => {
    const input = await receiptPdf(receipt);
    return execFileSync('pdftotext', ['-layout', '-', '-'], { input, encoding: 'utf8' }).replace(/ +/g, ' ');
  };

  it('has the amounts, the order of the partner and the note about the seller', async () => {
    const text = await textOf(withHolder('Łukasz Żółć'));
    for (const line of [
      ...['Receipt', 'KR-2026-11-3F9A0C1B2D4E', 'Date 2026-11-30 23:59 UTC', 'Order at Creem ord_1'],
      ...['Account holder Łukasz Żółć', 'Tax, as collected by Creem 5.00 USD', 'Total paid 30.00 USD'],
      ...['Credited to the account 25.00 USD', 'Of this, repaid a debt 1.234567891 USD'],
      ...['Refunded so far, with tax 12.00 USD', example.seller_note],
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toContain('SIMULATED');
  });

  it('leaves out debts and refunds that do not exist', async () => {
    const text = await textOf({ ...example, debt_repaid_usd: '0.00', returned: '0.00', returned_credits_usd: '0.00' });
    expect(text).not.toMatch(/debt|Refunded|taken/);
  });

  it('marks a simulated payment', async () =>
    expect(await textOf({ ...example, simulated: true })).toContain('SIMULATED – no money moved'));
});
