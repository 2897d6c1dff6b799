import { expect, it } from 'vitest';
import { lostInWords } from '../../../src/cli/account-history/lost-events.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { encode } from '../../../src/eventstore/journal/codec.ts';

it('names the payments that a log has lost, because their credits were promised', () => {
  const completed: PaymentEvent = {
    ...{ type: 'PaymentCompleted', transactionId: 'tran_1', orderId: 'ord_1', checkoutId: null },
    ...{ paid: 30_000_000_000n, tax: 5_000_000_000n, credited: 25_000_000_000n },
  };
  const stored = encode(completed, 'evt_1', { actor: 'partner:creem', commandId: 'cmd_1' });
  const time = new Date('2026-11-30T10:00:00.000Z');
  const lines = lostInWords([{ ...stored, stream: 'payment-pay_1', revision: 2, position: 7, time }]);
  expect(lines.join('\n')).toMatch(/payment-pay_1.*25\.00.*tran_1|payment-pay_1.*tran_1.*25\.00/);
});
