import { InvalidArgumentError } from 'commander';
import { showDeliveries } from './payments/deliveries.ts';
import { listPayments } from './payments/list.ts';
import { showPayment } from './payments/show.ts';
import { sweepPayments } from './payments/sweep.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, runOnDatabase, type ExitCode } from './terminal/run.ts';

const limit = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, from 1 to 999999.');
  return Number(text);
};

let chosen: (database: OpenDatabase) => Promise<ExitCode> = () => Promise.resolve(2);

const program = createProgram(
  'payments',
  'List payments, show one, compare the transactions of the payment partner with the log, or show deliveries that are kept.',
)
  .usage('<command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run payments -- list
  $ npm run payments -- list --account acc_3f1c9a7be2d04c5d8a6b1e20
  $ npm run payments -- show pay_6d1f0a93c5b24e7790ab3e51
  $ npm run payments -- sweep
  $ npm run payments -- deliveries
${EXIT_CODES}`,
  )
  .allowExcessArguments(false);

program
  .command('list')
  .description('The newest payments, and what waits for a decision.')
  .usage('[options]')
  .option('--account <id>', 'only those of this account, such as acc_3f1c9a7be2d04c5d8a6b1e20')
  .option('--limit <n>', 'how many payments', limit, 50)
  .allowExcessArguments(false)
  .action((options: { readonly account?: string; readonly limit: number }) => {
    chosen = (database) => listPayments(database, options);
  });

program
  .command('show')
  .description('One payment: what was paid, refunded and disputed, and what is left of its credits.')
  .usage('<payment>')
  .argument('<payment>', 'the payment, such as pay_6d1f0a93c5b24e7790ab3e51')
  .allowExcessArguments(false)
  .action((paymentId: string) => {
    chosen = (database) => showPayment(database, paymentId);
  });

program
  .command('sweep')
  .summary('Compare the transactions of the payment partner with the log.')
  .description(
    'Compare the transactions of the last 120 days at the payment partner with the log, and record what no webhook has ' +
      'reported. A running gateway does this once a day. The partner is the one of CREEM_API_KEY, CREEM_WEBHOOK_SECRET and ' +
      'CREEM_PRODUCT_ID; without these it is the simulated one of the gateway on this machine. If a transaction is of no ' +
      'payment, or cannot be read, the exit code is 1.',
  )
  .usage('')
  .allowExcessArguments(false)
  .action(() => {
    chosen = sweepPayments;
  });

program
  .command('deliveries')
  .summary('The deliveries of the payment partner that are kept for an operator.')
  .description(
    'The deliveries of the last 30 days that could not be read, or belong to no payment. With an id, the body of one, which ' +
      'has personal data.',
  )
  .usage('[delivery]')
  .argument('[delivery]', 'the delivery, such as del_0c1f5b7a90e24d63')
  .allowExcessArguments(false)
  .action((deliveryId: string | undefined) => {
    chosen = (database) => showDeliveries(database, deliveryId);
  });

program.parse();

await runOnDatabase('payments', (database) => chosen(database));
