import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckoutOrder, PaymentPartner, WebhookHeaders, WebhookReading } from '../../src/payments/partner.ts';

export type PartnerDelivery = { readonly headers: WebhookHeaders; readonly body: Uint8Array };

/** What customers, their banks and the partner do. Each returns the webhook that it causes. */
export type PartnerActs = {
  /** Pays on the partner's page, with tax. `less`: with a discount. */
  pay(checkoutId: string, how?: 'less'): PartnerDelivery;
  /** On the partner's own page, in part. */
  refund(transactionId: string, gross: bigint, status?: 'pending'): PartnerDelivery;
  dispute(transactionId: string): PartnerDelivery;
  winDispute(disputeId: string): void;
};

export type PartnerFixture = {
  readonly partner: PaymentPartner;
  /** The same, with an API key that the partner does not accept. */
  readonly withWrongKey: PaymentPartner;
  /** Undefined if only people can pay: then the contract reads what they have paid before. */
  readonly acts: PartnerActs | undefined;
  close(): Promise<void>;
};

const AMOUNT = 2_500n;
const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;
const order = (fields: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
  ...{ paymentId: newId('pay'), accountId: newId('acc'), amount: AMOUNT, customer: undefined },
  ...{ successUrl: 'https://kissapi.example/top-ups', ...fields },
});

const only = (reading: WebhookReading) => {
  if (reading.kind !== 'facts') throw new Error(`the webhook is ${JSON.stringify(reading)}`);
  const [fact, ...others] = reading.facts;
  if (!fact || others.length > 0) throw new Error(`the webhook has ${reading.facts.length} facts`);
  return fact;
};

/** The rules that every payment partner keeps. `canAct`: whether the fixture has acts; without them, the rules that need some are left out. */
export const describePartner = (name: string, open: () => Promise<PartnerFixture>, canAct: boolean): void => {
  describe(`the payment partner ${name}`, () => {
    let fixture: PartnerFixture;
    beforeAll(async () => {
      fixture = await open();
    });
    afterAll(async () => {
      await fixture.partner.close();
      await fixture.withWrongKey.close();
      await fixture.close();
    });

    const opened = async (asked = order()): Promise<string> => {
      const answer = await fixture.partner.checkout(asked);
      if (answer.kind !== 'created') throw new Error(`the checkout was ${answer.kind}`);
      expect(new URL(answer.url).protocol).toMatch(/^https?:$/);
      return answer.checkoutId;
    };

    describe('a checkout', () => {
      it('is opened, and found with the id of our payment', async () => {
        const asked = order();
        const checkoutId = await opened(asked);
        expect(await fixture.partner.checkoutById(checkoutId)).toEqual({
          ...{ kind: 'checkout', checkoutId, status: 'pending', paymentId: asked.paymentId, paid: null },
        });
      });

      it('is another one each time', async () => {
        const asked = order();
        expect(await opened(asked)).not.toBe(await opened(asked));
      });

      it('is opened for a customer again, also if the address or the account is another', async () => {
        const accountId = newId('acc');
        const customer = { email: `${newId('ada')}@example.com`, name: 'Ada Example' };
        await opened(order({ accountId, customer }));
        await opened(order({ accountId, customer }));
        await opened(order({ accountId, customer: { ...customer, email: `${newId('ada')}@example.com` } }));
        await opened(order({ customer }));
      });
    });

    describe('what does not exist', () => {
      it('is not found', async () => {
        expect(await fixture.partner.checkoutById(newId('ch'))).toEqual({ kind: 'not_found' });
        expect(await fixture.partner.transactionById(newId('tran'))).toEqual({ kind: 'not_found' });
      });

      it('is not refunded', async () => {
        expect(await fixture.partner.refund(newId('tran'))).toMatchObject({ kind: 'refused' });
      });
    });

    it('fails in every call if the key is not accepted', async () => {
      const { withWrongKey: partner } = fixture;
      const calls = [
        () => partner.checkout(order()),
        () => partner.checkoutById('ch_1'),
        () => partner.transactionById('tran_1'),
        () => partner.refund('tran_1'),
        () => partner.transactions(1),
      ];
      for (const call of calls) {
        await expect(call()).rejects.toMatchObject({ name: 'PartnerFailed', code: 'rejects_us' });
      }
    });

    describe('the list of transactions', () => {
      it('has the newest first, each as it is found by its id', async () => {
        const { transactions, unreadable } = await fixture.partner.transactions(1);
        expect(unreadable).toBe(0);
        const times = transactions.map(({ createdAt }) => createdAt);
        expect(times).toEqual(times.toSorted((a, b) => b - a));
        for (const one of transactions.slice(0, 3)) {
          expect(await fixture.partner.transactionById(one.transactionId)).toEqual({ kind: 'transaction', ...one });
        }
      });

      it('is empty beyond its end', async () => {
        const { transactions, nextPage } = await fixture.partner.transactions(1_000_000);
        expect([transactions, nextPage]).toEqual([[], null]);
      });
    });

    it('accepts no webhook without a right signature', () => {
      const body = Buffer.from('{"id":"evt_1","eventType":"checkout.completed","object":{}}');
      expect(fixture.partner.readWebhook({}, body).kind).toBe('bad_signature');
    });

    if (canAct) describeActs(() => fixture, opened);
  });
};

type Opened = (asked?: CheckoutOrder) => Promise<string>;

const describeActs = (fixture: () => PartnerFixture, opened: Opened): void => {
  type ActTest = (acts: PartnerActs, partner: PaymentPartner) => Promise<void>;
  const rule = (title: string, test: ActTest): void =>
    it(title, async () => {
      const { acts, partner } = fixture();
      if (!acts) throw new Error('the fixture has no acts');
      await test(acts, partner);
    });

  const paid = async (acts: PartnerActs, partner: PaymentPartner) => {
    const { headers, body } = acts.pay(await opened());
    const fact = only(partner.readWebhook(headers, body));
    if (fact.kind !== 'paid') throw new Error(`the webhook is of a ${fact.kind}`);
    return fact;
  };

  describe('a payment', () => {
    rule('is reported by webhook as it is found, with its tax', async (acts, partner) => {
      const asked = order();
      const checkoutId = await opened(asked);
      const { headers, body } = acts.pay(checkoutId);
      const fact = only(partner.readWebhook(headers, body));
      expect(fact).toMatchObject({ kind: 'paid', paymentId: asked.paymentId, checkoutId, currency: 'USD' });
      if (fact.kind !== 'paid') return;
      expect(fact.paid - fact.tax).toBe(AMOUNT);
      expect(fact.tax).toBeGreaterThan(0n);
      const status = 'completed';
      const { paymentId } = asked;
      expect(await partner.checkoutById(checkoutId)).toEqual({
        kind: 'checkout',
        checkoutId,
        status,
        paymentId,
        paid: fact,
      });
      const { transactionId, orderId, tax, currency } = fact;
      expect(await partner.transactionById(transactionId)).toMatchObject({
        ...{ transactionId, orderId, paid: fact.paid, tax, currency, refunded: 0n, status: 'paid' },
      });
      const { transactions } = await partner.transactions(1);
      expect(transactions[0]?.transactionId).toBe(transactionId);
    });

    rule('is of less than was asked if the customer has a discount', async (acts, partner) => {
      const { headers, body } = acts.pay(await opened(), 'less');
      const fact = only(partner.readWebhook(headers, body));
      expect(fact.kind === 'paid' && fact.paid - fact.tax).toBeLessThan(AMOUNT);
    });
  });

  describe('a refund', () => {
    rule('is made in full, once', async (acts, partner) => {
      const { transactionId, paid: gross } = await paid(acts, partner);
      expect(await partner.refund(transactionId)).toEqual({ kind: 'accepted', status: 'succeeded' });
      expect(await partner.refund(transactionId)).toMatchObject({ kind: 'refused' });
      expect(await partner.transactionById(transactionId)).toMatchObject({ status: 'refunded', refunded: gross });
    });

    rule('in part is reported by webhook', async (acts, partner) => {
      const { transactionId, paymentId, checkoutId, currency } = await paid(acts, partner);
      const { headers, body } = acts.refund(transactionId, 1_200n);
      expect(only(partner.readWebhook(headers, body))).toEqual({
        ...{ kind: 'refund', paymentId, checkoutId, transactionId, currency },
        ...{ reference: expect.any(String) as unknown, gross: 1_200n, status: 'succeeded' },
      });
      expect(await partner.transactionById(transactionId)).toMatchObject({
        ...{ status: 'partly_refunded', refunded: 1_200n },
      });
      expect(await partner.refund(transactionId)).toMatchObject({ kind: 'refused' });
    });

    rule('that is pending has refunded nothing yet', async (acts, partner) => {
      const { transactionId } = await paid(acts, partner);
      const { headers, body } = acts.refund(transactionId, 1_200n, 'pending');
      expect(only(partner.readWebhook(headers, body))).toMatchObject({ status: 'pending' });
      expect(await partner.transactionById(transactionId)).toMatchObject({ status: 'paid', refunded: 0n });
    });
  });

  describe('a dispute', () => {
    rule('charges the payment back, until it is won', async (acts, partner) => {
      const { transactionId, paymentId, checkoutId, paid: gross, currency } = await paid(acts, partner);
      const { headers, body } = acts.dispute(transactionId);
      const fact = only(partner.readWebhook(headers, body));
      expect(fact).toMatchObject({ kind: 'dispute', paymentId, checkoutId, transactionId, gross, currency });
      expect(await partner.transactionById(transactionId)).toMatchObject({ status: 'charged_back' });
      if (fact.kind === 'dispute') acts.winDispute(fact.disputeId);
      expect(await partner.transactionById(transactionId)).toMatchObject({ status: 'paid', refunded: 0n });
    });
  });

  rule('lists transactions page by page, each once', async (acts, partner) => {
    const made = new Set<string>();
    for (let n = 0; n < 60; n++) made.add((await paid(acts, partner)).transactionId);
    const listed: string[] = [];
    for (let page: number | null = 1; page !== null;) {
      const { transactions, nextPage } = await partner.transactions(page);
      listed.push(...transactions.map(({ transactionId }) => transactionId));
      page = nextPage;
    }
    expect(new Set(listed).size).toBe(listed.length);
    expect([...made].filter((one) => !listed.includes(one))).toEqual([]);
  });
};
