import type { Logger } from 'pino';
import { PartnerFailed } from '../../payments/partner.ts';
import type { Payments } from '../../payments/payments.ts';

export const SWEEP_EVERY_MS = 24 * 60 * 60 * 1000;
/** A sweep may be thousands of calls, so one that failed is not repeated at once. */
const AFTER_FAILURE_MS = 10 * 60 * 1000;

type RoundOptions = {
  readonly payments: Pick<Payments, 'partner' | 'lookUpUnpaid' | 'sweep'>;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Whether this node runs the process of payments, so that one node at a time compares. */
  readonly leads: () => boolean;
};

/** Looks up unpaid payments, and sweeps once a day. A node that takes over sweeps at once. */
export const createRound = ({ payments, now, log, leads }: RoundOptions) => {
  let sweepAt = Number.NEGATIVE_INFINITY;
  /** Undefined if the partner gave no answer. */
  const ofPartner = async <Result>(work: () => Promise<Result>, message: string): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PartnerFailed)) throw error;
      log.warn({ err: error }, message);
      return undefined;
    }
  };
  return async (): Promise<void> => {
    if (!leads() || !payments.partner) return;
    await ofPartner(
      payments.lookUpUnpaid,
      'the payment partner gave no answer: unpaid payments are looked up again later',
    );
    if (now().getTime() < sweepAt) return;
    sweepAt = now().getTime() + AFTER_FAILURE_MS;
    const report = await ofPartner(
      () => payments.sweep(),
      'the payment partner gave no answer: transactions are compared again later',
    );
    if (!report) return;
    sweepAt = now().getTime() + SWEEP_EVERY_MS;
    if (report.compared > 0) log.info({ ...report }, 'transactions of the payment partner were compared with the log');
  };
};
