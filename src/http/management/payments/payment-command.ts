import type { PaymentCommand } from '../../../domain/payments/commands.ts';
import type { PaymentEvent } from '../../../domain/payments/events.ts';
import { paymentStream } from '../../../domain/payments/payment.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import type { Identity } from '../router/route.ts';

/** The events of a command; none if nothing had to be changed. */
type DoneOnPayment = { readonly events: readonly PaymentEvent[]; readonly repeated: boolean };

/** Executes a command on a payment. For a repetition, `isAsked` compares the first event of the earlier command. */
export const executeOnPayment = async (
  { paymentCommands }: Pick<ManagementDeps, 'paymentCommands'>,
  { actor, commandId, requestId, mayRepeat }: Identity,
  paymentId: string,
  command: PaymentCommand,
  isAsked: (event: PaymentEvent) => boolean,
): Promise<DoneOnPayment | Problem> => {
  const metadata = { actor, commandId, correlationId: requestId };
  const outcome = await paymentCommands.execute(paymentStream(paymentId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return problem(outcome.refusal.code);
  const { events, repeated } = outcome;
  const [first] = events;
  return repeated && first && !isAsked(first) ? problem('idempotency_key_reused') : { events, repeated };
};
