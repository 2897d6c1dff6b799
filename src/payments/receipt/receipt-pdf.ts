import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';
import type { Receipt } from './receipt.ts';

/** Latin, Greek, Cyrillic, Hebrew, Arabic and more. Other letters, such as Chinese ones, appear as empty boxes. */
const fontFile = (face: string): string =>
  createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/DejaVuSans${face}.ttf`);

const MARGIN = 56;
const LABEL_WIDTH = 190;
const GREY = '#5a6270';
const BLACK = '#14181f';
const LINE = '#d5d9e0';
const RED = '#b00020';

/** One page of A4. The same receipt gives the same bytes. */
export const receiptPdf = async (receipt: Receipt): Promise<Buffer> => {
  const document = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    font: fontFile(''),
    lang: 'en',
    displayTitle: true,
    info: { Title: `Receipt ${receipt.number}`, Author: 'KissAPI', CreationDate: new Date(receipt.date) },
  });
  document.registerFont('bold', fontFile('-Bold')).registerFont('plain', fontFile(''));
  const page = pageOf(document);
  page.heading(receipt.number);
  if (receipt.simulated) page.banner('SIMULATED – no money moved');
  page.rows(detailsOf(receipt));
  page.title('Amounts');
  page.rows(amountsOf(receipt), 'right');
  page.note(receipt.seller_note);
  document.end();
  const chunks: Buffer[] = [];
  for await (const chunk of document as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};

type Row = { readonly label: string; readonly value: string; readonly isTotal?: boolean };

const detailsOf = ({ number, date, payment_id, order_id, account }: Receipt): readonly Row[] => [
  { label: 'Receipt number', value: number },
  { label: 'Date', value: `${date.slice(0, 10)} ${date.slice(11, 16)} UTC` },
  { label: 'Payment', value: payment_id },
  { label: 'Order at Creem', value: order_id },
  { label: 'Account', value: account.id },
  ...(account.holder === null ? [] : [{ label: 'Account holder', value: account.holder }]),
];

const amountsOf = (receipt: Receipt): readonly Row[] => {
  const { currency, net, tax, tax_note, total_paid, credited_usd, debt_repaid_usd } = receipt;
  const { returned, returned_credits_usd } = receipt;
  const none = '0.00';
  return [
    { label: 'Credits, without tax', value: `${net} ${currency}` },
    { label: `Tax, ${tax_note}`, value: `${tax} ${currency}` },
    { label: 'Total paid', value: `${total_paid} ${currency}`, isTotal: true },
    { label: 'Credited to the account', value: `${credited_usd} USD` },
    ...(debt_repaid_usd === none ? [] : [{ label: 'Of this, repaid a debt', value: `${debt_repaid_usd} USD` }]),
    ...(returned === none
      ? []
      : [
          { label: 'Refunded so far, with tax', value: `${returned} ${currency}` },
          { label: 'Credits taken for it', value: `${returned_credits_usd} USD` },
        ]),
  ];
};

/** Control characters have no glyphs. */
const printable = (text: string): string => text.replace(/\p{C}+/gu, ' ').trim();

const pageOf = (document: PDFKit.PDFDocument) => {
  const width = document.page.width - 2 * MARGIN;
  const rule = (color = LINE): void => {
    document
      .moveTo(MARGIN, document.y)
      .lineTo(MARGIN + width, document.y)
      .lineWidth(0.7)
      .stroke(color);
  };
  return {
    heading: (number: string): void => {
      document.font('bold').fontSize(24).fillColor(BLACK).text('Receipt', MARGIN, MARGIN);
      document.fontSize(12).text('KissAPI', MARGIN, MARGIN + 2, { width, align: 'right' });
      document.font('plain').fontSize(9).fillColor(GREY).text(number, { width, align: 'right' });
      document.x = MARGIN;
      document.y = MARGIN + 48;
    },
    banner: (text: string): void => {
      const top = document.y;
      document.rect(MARGIN, top, width, 38).lineWidth(1.5).stroke(RED);
      document
        .font('bold')
        .fontSize(14)
        .fillColor(RED)
        .text(text, MARGIN, top + 11, { width, align: 'center' });
      document.y = top + 54;
    },
    title: (text: string): void => {
      document.y += 20;
      document.font('bold').fontSize(12).fillColor(BLACK).text(text, MARGIN);
      document.y += 6;
    },
    rows: (rows: readonly Row[], align: 'left' | 'right' = 'left'): void => {
      for (const { label, value, isTotal = false } of rows) {
        rule();
        const top = document.y + 7;
        document.font(isTotal ? 'bold' : 'plain').fontSize(10);
        document.fillColor(isTotal ? BLACK : GREY).text(label, MARGIN, top, { width: LABEL_WIDTH });
        const box = { width: width - LABEL_WIDTH, height: 26, align, ellipsis: true };
        document.fillColor(BLACK).text(printable(value), MARGIN + LABEL_WIDTH, top, box);
        document.y = Math.max(document.y, top + 12) + 7;
      }
      rule();
    },
    note: (text: string): void => {
      document.y += 28;
      document.font('plain').fontSize(9).fillColor(GREY).text(text, MARGIN, document.y, { width });
    },
  };
};
