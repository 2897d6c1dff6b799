import type { Shop } from '../store/shop.ts';
import type { Delivery } from '../store/state.ts';
import type { Transaction } from '../store/wire.ts';
import { statusOf } from '../shop/checkouts.ts';
import { openBalance } from '../shop/payouts.ts';
import { describeOutcome } from '../webhooks/deliveries.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { moment, money } from './page.ts';

/** A form that is one button; `action` is relative to `/operator/`. */
export const button = (action: string, label: string): Html =>
  html`<form method="post" action="${action}" class="inline"><button class="small">${label}</button></form>`;

const STATUS: Readonly<Record<Transaction['status'], string>> = {
  paid: 'paid',
  refunded: 'refunded',
  partialRefund: 'refunded in part',
  chargedBack: 'charged back',
};

export const statusLabel = ({ status }: Transaction): string => STATUS[status];

const PAGE = 50;

const payment = ({ state }: Shop, transaction: Transaction): Html => {
  const { id, currency } = transaction;
  const customer = state.customers.find((one) => one.id === transaction.customer);
  const checkout = state.checkouts.find(({ order }) => order === transaction.order);
  return html`<tr>
    <td>${moment(transaction.created_at)}</td>
    <td>
      <a href="payments/${id}"><code>${id}</code></a>
    </td>
    <td><code>${checkout?.requestId}</code></td>
    <td>${customer?.email}</td>
    <td>${transaction.tax_country}</td>
    <td class="money">${money(transaction.amount_paid, currency)}</td>
    <td class="money">${money(transaction.tax_amount, currency)}</td>
    <td class="money">${money(transaction.refunded_amount ?? 0, currency)}</td>
    <td>${statusLabel(transaction)}</td>
  </tr>`;
};

export const payments = (shop: Shop, page: number): Html => {
  const newest = shop.state.transactions.toReversed();
  const shown = newest.slice((page - 1) * PAGE, page * PAGE);
  if (shown.length === 0)
    return html`<h2>Payments</h2>
      <p>None yet. A checkout that is paid appears here.</p>`;
  return html`<h2>Payments</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Paid</th>
          <th>Transaction</th>
          <th>Request</th>
          <th>Customer</th>
          <th>Country</th>
          <th class="money">Total</th>
          <th class="money">Tax</th>
          <th class="money">Refunded</th>
          <th>Status</th>
        </tr>
        ${shown.map((transaction) => payment(shop, transaction))}
      </table>
    </div>
    ${newest.length > page * PAGE && html`<p><a href="?page=${page + 1}">Older payments</a></p>`}`;
};

export const openCheckouts = (shop: Shop): Html => {
  const open = shop.state.checkouts.filter((checkout) => statusOf(shop, checkout) === 'pending').toReversed();
  if (open.length === 0)
    return html`<h2>Open checkouts</h2>
      <p>None.</p>`;
  return html`<h2>Open checkouts</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Opened</th>
          <th>Checkout</th>
          <th>Request</th>
          <th>Until</th>
          <th></th>
        </tr>
        ${open.slice(0, PAGE).map(
          ({ id, createdAt, expiresAt, requestId }) =>
            html`<tr>
              <td>${moment(createdAt)}</td>
              <td>
                <a href="../checkout/${id}"><code>${id}</code></a>
              </td>
              <td><code>${requestId}</code></td>
              <td>${moment(expiresAt)}</td>
              <td>${button(`checkouts/${id}/expire`, 'Expire')}</td>
            </tr>`,
        )}
      </table>
    </div>`;
};

const STATES: Readonly<Record<Delivery['state'], string>> = {
  scheduled: 'waits',
  delivered: 'delivered',
  given_up: 'given up',
};

/** `root` leads from the page to `/operator/`. */
export const deliveries = ({ state }: Shop, shown: readonly Delivery[], root = ''): Html => {
  if (shown.length === 0)
    return html`<h2>Deliveries</h2>
      <p>None.</p>`;
  const row = (delivery: Delivery): Html => {
    const event = state.events.find(({ id }) => id === delivery.event);
    const attempts = delivery.attempts.map(
      ({ at, manual, outcome }) => html`<div>${moment(at)}: ${describeOutcome(outcome)}${manual && ', by hand'}</div>`,
    );
    const next = delivery.nextAttemptAt;
    return html`<tr>
      <td><code>${delivery.event}</code></td>
      <td>${event?.type}</td>
      <td>${STATES[delivery.state]}</td>
      <td>${attempts}${next !== undefined && html`<div class="soft">next at ${moment(next)}</div>`}</td>
      <td>${button(`${root}events/${delivery.event}/resend`, 'Send again')}</td>
    </tr>`;
  };
  return html`<h2>Deliveries</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Event</th>
          <th>Type</th>
          <th>State</th>
          <th>Attempts</th>
          <th></th>
        </tr>
        ${shown.map(row)}
      </table>
    </div>`;
};

export const payouts = (shop: Shop): Html => {
  const closed = shop.state.payouts.toReversed().map(
    ({ id, at, amount, currency, lines }) =>
      html`<tr>
        <td>${moment(at)}</td>
        <td><code>${id}</code></td>
        <td class="money">${money(amount, currency)}</td>
        <td class="money">${lines.length}</td>
        <td><a href="payouts/${id}.csv">Statement (CSV)</a></td>
      </tr>`,
  );
  const balances = ['USD', 'EUR'].map((currency) => money(openBalance(shop, currency), currency)).join(' and ');
  return html`<h2>Payouts</h2>
    <p>
      Open: ${balances}, without the fee of the payout. Real payouts leave out what is younger than a week; here
      everything is paid out.
    </p>
    <form method="post" action="payouts">
      <label class="inline"
        >Currency
        <select name="currency">
          <option>USD</option>
          <option>EUR</option>
        </select></label
      >
      <label class="inline"><input type="checkbox" name="any" value="yes" />Also below the minimum of 50.00</label>
      <button>Close a payout</button>
    </form>
    ${
      closed.length > 0 &&
      html`<div class="scroll">
        <table>
          <tr>
            <th>Closed</th>
            <th>Payout</th>
            <th class="money">Amount</th>
            <th class="money">Lines</th>
            <th></th>
          </tr>
          ${closed}
        </table>
      </div>`
    }`;
};
