import type { Config } from '../../config/config.ts';
import { readCommandConfig } from '../../config/config.ts';
import { accountDecider } from '../../domain/account/decide.ts';
import { mailDecider } from '../../domain/mail/mail.ts';
import { paymentDecider } from '../../domain/payments/decide.ts';
import { createCommands } from '../../eventstore/commands.ts';
import { createCommitter } from '../../eventstore/committer.ts';
import { journal } from '../../eventstore/journal/codec.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';
import { partnerForCommands } from '../../gateway/payments/partner.ts';
import { PartnerFailed } from '../../payments/partner.ts';
import type { PaymentAlert } from '../../payments/payments-options.ts';
import { createPayments } from '../../payments/payments.ts';
import type { SweepReport } from '../../payments/sweep.ts';
import { readableByLiveRuns } from '../../reactions/runs/runs.ts';
import { plain } from '../account-history/plain-text.ts';
import { counted } from '../terminal/counted.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { createBar } from '../terminal/progress.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { readAllPayments } from './all-payments.ts';

/** Compares the transactions of the payment partner with the log, and records what is missing. */
export const sweepPayments = async (database: OpenDatabase): Promise<ExitCode> => {
  const config = readCommandConfig();
  const partner = partnerForCommands(config);
  if (!partner) throw new CliFault('No payment partner is configured: set CREEM_API_KEY, or start the gateway.');
  const committer = createCommitter({ store: database.store });
  const bar = createBar('sweep', 'transactions');
  try {
    const payments = createPayments({ ...(await openOptions(database, committer)), partner });
    bar.start(0, 0);
    const report = await payments.sweep((compared) => {
      bar.setTotal(compared);
      bar.update(compared);
    });
    bar.stop();
    return await printReport(report);
  } catch (error) {
    if (error instanceof PartnerFailed) throw new CliFault(unreachable(config, error), { cause: error });
    throw error;
  } finally {
    bar.stop();
    await committer.close();
    await partner.close();
  }
};

const unreachable = ({ payments: { partner } }: Config, { message }: PartnerFailed): string =>
  partner.kind === 'simulated'
    ? 'The simulated payment partner runs inside the gateway, and gives no answer: start the gateway, give this command the same PORT, or set ' +
      `CREEM_API_KEY, CREEM_WEBHOOK_SECRET and CREEM_PRODUCT_ID to compare with Creem. (${plain(message)})`
    : `The payment partner gives no usable answer: ${plain(message)}. Nothing is lost: sweep again later.`;

/** A sweep only records what happened to payments. Running gateways carry it to the accounts. */
const openOptions = async (
  { store, url }: OpenDatabase,
  committer: ReturnType<typeof createCommitter>,
): Promise<Omit<Parameters<typeof createPayments>[0], 'partner'>> => {
  const readable = await readableByLiveRuns(url);
  const { now } = await readLogClock(url);
  const writing = { store, committer, codec: journal, readable: () => readable };
  const { open, byPartnerId, readFurther } = await readAllPayments(store);
  const notHere = (): Promise<never> => Promise.reject(new Error('a sweep keeps no deliveries'));
  return {
    payments: createCommands({ ...writing, decider: paymentDecider }),
    accounts: createCommands({ ...writing, decider: accountDecider }),
    mails: createCommands({ ...writing, decider: mailDecider }),
    paymentOf: async ({ transactionId, orderId }) => {
      const find = () => byPartnerId.get(transactionId) ?? byPartnerId.get(orderId ?? '');
      if (find() === undefined) await readFurther(); // The sweep itself or a gateway may have recorded it meanwhile.
      return find();
    },
    unpaid: () => Promise.resolve(open.unpaid()),
    expired: (openedAfter) => Promise.resolve(open.expired(openedAfter)),
    openDisputes: () => Promise.resolve(open.disputes()),
    customerOf: () => Promise.resolve(undefined),
    kept: { keep: notHere, list: notHere, open: notHere, deleteOld: notHere, close: () => Promise.resolve() },
    publicUrl: () => '',
    now: () => now,
    alarm: (alert, facts) => console.error(`payments: ${alarmInWords(alert, facts)}`),
  };
};

const alarmInWords = (alert: PaymentAlert, facts: Readonly<Record<string, string | number | null>>): string => {
  const about = Object.entries(facts).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  const what = alert === 'payment_unmatched' ? 'a transaction belongs to no payment of ours' : alert;
  return plain(`${what}: ${about.join(', ')}`);
};

const printReport = async ({ compared, recorded, unmatched, unreadable }: SweepReport): Promise<ExitCode> => {
  await print(`Compared ${counted(compared, 'transaction')} of the payment partner with the log.`);
  await print(
    recorded === 0
      ? 'The log had everything.'
      : `Recorded ${counted(recorded, 'fact')} that no webhook had reported. Running gateways carry them to the accounts.`,
  );
  if (unmatched > 0)
    await print(`Unmatched: ${counted(unmatched, 'transaction')} of no payment of ours, listed above.`);
  if (unreadable > 0) await print(`Unreadable: ${counted(unreadable, 'transaction')}. This needs a developer.`);
  return unmatched + unreadable > 0 ? 1 : 0;
};
