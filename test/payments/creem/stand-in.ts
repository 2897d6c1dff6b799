import { createCreemStandIn } from '@kissapi/creem-stand-in';
import { createCreem } from '../../../src/payments/creem/creem.ts';
import type { PartnerActs, PartnerDelivery } from '../partner-contract.ts';
import { SECRET } from './events.ts';

const KEY = 'creem_test_of_the_tests';

/** Creem's stand-in, and the adapter on it. Must be closed. */
export const openStandIn = async ({ answerWithinMs = 10_000 } = {}) => {
  // Each look at the clock is a second later, so that transactions have an order.
  let now = Date.UTC(2026, 10, 12);
  const standIn = createCreemStandIn({
    ...{ apiKey: KEY, webhookSecret: SECRET, seed: 'the tests of the partner', now: () => (now += 1000) },
  });
  const baseUrl = `${await standIn.listen()}/v1`;
  const { control, productId } = standIn;
  const connect = (apiKey = KEY) => createCreem({ apiKey, webhookSecret: SECRET, productId, baseUrl, answerWithinMs });
  const newest = (): PartnerDelivery => {
    const { headers, body } = control.signed(control.events().at(-1)?.id ?? '');
    return { headers, body };
  };
  const acts: PartnerActs = {
    pay: (checkoutId, how) => {
      const code = how === 'less' ? { discountCode: 'TENOFF' } : {};
      control.pay(checkoutId, { country: 'FR', email: 'ada@example.com', ...code });
      return newest();
    },
    refund: (transactionId, gross, status = undefined) => {
      control.refund(transactionId, { amount: Number(gross), ...(status === undefined ? {} : { status }) });
      return newest();
    },
    dispute: (transactionId) => {
      control.dispute(transactionId);
      return newest();
    },
    winDispute: (disputeId) => void control.winDispute(disputeId),
  };
  /** The e-mail address and our id of a customer, as Creem has them. */
  const customer = async (id: string) => {
    const response = await fetch(`${baseUrl}/customers?customer_id=${id}`, { headers: { 'x-api-key': KEY } });
    return (await response.json()) as { readonly email: string; readonly external_id?: string };
  };
  return {
    customer,
    partner: connect(),
    withWrongKey: connect('creem_test_of_another'),
    connect,
    acts,
    control,
    close: standIn.close,
  };
};
