import type { DomainEvent } from '../../eventstore/journal/codec.ts';
import { paymentOfStream } from '../../domain/payments/payment.ts';
import type { Projection } from '../projection.ts';

type TransactionRow = {
  /** The partner's id. */
  readonly transaction_id: string;
  readonly payment_id: string;
};

const types = new Set<DomainEvent['type']>(['PaymentCompleted', 'PaymentQuarantined']);

/** The payment of each transaction of the partner. */
export const transactions: Projection<TransactionRow> = {
  name: 'transactions',
  version: 1,
  columns: { transaction_id: 'text', payment_id: 'text' },
  keyLength: 1,
  indexes: [],
  types,
  makes: types,
  keysOf: ({ event }) =>
    event.type === 'PaymentCompleted' || event.type === 'PaymentQuarantined' ? [[event.transactionId]] : [],
  evolve: (existing, { stream }, [transactionId = '']) =>
    existing ?? { transaction_id: transactionId, payment_id: paymentOfStream(stream) ?? '' },
};
