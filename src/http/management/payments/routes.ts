import type { Route } from '../router/route.ts';
import { approveRefund, refuseRefund, withdrawRefund } from './answer-refund.ts';
import { askRefund } from './ask-refund.ts';
import { closeDispute, listDisputes } from './disputes.ts';
import { listPayments, readPayment } from './payments.ts';
import { listQuarantined, rejectQuarantined, releaseQuarantined } from './quarantine.ts';
import { downloadReceipt, readReceipt } from './receipts.ts';
import { listRefunds } from './refund-queue.ts';
import { openTopUp, readTopUpOptions } from './top-ups.ts';

/** Money in and out. */
export const paymentRoutes: readonly Route[] = [
  ...[readTopUpOptions, openTopUp, listPayments, readPayment, readReceipt, downloadReceipt],
  ...[askRefund, withdrawRefund, listRefunds, approveRefund, refuseRefund],
  ...[listDisputes, closeDispute, listQuarantined, releaseQuarantined, rejectQuarantined],
];
