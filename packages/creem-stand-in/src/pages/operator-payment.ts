import { find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Dispute, Refund } from '../store/state.ts';
import type { Transaction } from '../store/wire.ts';
import { decimal } from '../shop/amounts.ts';
import { refundable } from '../shop/transactions.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { button, deliveries, statusLabel } from './operator-lists.ts';
import { moment, money } from './page.ts';

const ROOT = '../';

/** How a pending refund can end. */
const ENDS = [
  ['succeeded', 'Succeed'],
  ['failed', 'Fail'],
  ['canceled', 'Cancel'],
] as const;

const facts = ({ state }: Shop, transaction: Transaction): Html => {
  const order = find(state.orders, transaction.order, 'Order');
  const customer = find(state.customers, transaction.customer, 'Customer');
  const checkout = state.checkouts.find((one) => one.order === order.id);
  const { currency } = transaction;
  return html`<dl class="card">
    <dt>Status</dt>
    <dd>${statusLabel(transaction)}</dd>
    <dt>Paid</dt>
    <dd>${moment(transaction.created_at)}</dd>
    <dt>Customer</dt>
    <dd>${customer.name} ${customer.email} <code>${customer.id}</code></dd>
    <dt>Request</dt>
    <dd><code>${checkout?.requestId}</code></dd>
    <dt>Checkout</dt>
    <dd><code>${checkout?.id}</code></dd>
    <dt>Order</dt>
    <dd><code>${order.id}</code></dd>
    <dt>Before tax</dt>
    <dd>
      ${money(order.amount, currency)}${order.discount_amount > 0 && ` (discount ${order.discount ?? ''}: ${money(order.discount_amount, currency)})`}
    </dd>
    <dt>Tax</dt>
    <dd>${money(order.tax_amount, currency)} (${transaction.tax_country})</dd>
    <dt>Total</dt>
    <dd>${money(order.amount_paid, currency)}</dd>
    <dt>Refunded</dt>
    <dd>${money(transaction.refunded_amount ?? 0, currency)}</dd>
  </dl>`;
};

const refundForm = (transaction: Transaction, left: number): Html =>
  html`<h2>Refund</h2>
    <form method="post" action="${ROOT}payments/${transaction.id}/refund" class="card">
      <label
        >Amount in ${transaction.currency}, tax included
        <span class="hint">At most ${decimal(left)}. The customer gets this back.</span>
        <input name="amount" required inputmode="decimal" pattern="[0-9]+([.][0-9]{1,2})?" value="${decimal(left)}"
      /></label>
      <label
        >Reason
        <select name="reason">
          <option value="requested_by_customer">requested by customer</option>
          <option>duplicate</option>
          <option>fraudulent</option>
          <option>other</option>
        </select></label
      >
      <label
        >Status <span class="hint">A pending refund is settled below, without a delivery.</span>
        <select name="status">
          <option>succeeded</option>
          <option>pending</option>
          <option>requiresAction</option>
          <option>failed</option>
        </select></label
      >
      <button class="first">Refund</button>
    </form>
    <p>
      ${button(`${ROOT}payments/${transaction.id}/refund-by-partner`, 'Refund everything, unasked, as Creem')}
      ${button(`${ROOT}payments/${transaction.id}/dispute`, 'Open a dispute')}
    </p>`;

const refunds = (made: readonly Refund[], currency: string): Html => {
  if (made.length === 0) return html``;
  const rows = made.map(
    ({ id, amount, createdAt, reason, status }) =>
      html`<tr>
        <td>${moment(createdAt)}</td>
        <td><code>${id}</code></td>
        <td class="money">${money(amount, currency)}</td>
        <td>${reason}</td>
        <td>${status}</td>
        <td>
          ${
            (status === 'pending' || status === 'requiresAction') &&
            ENDS.map(([to, label]) => button(`${ROOT}refunds/${id}/${to}`, label))
          }
        </td>
      </tr>`,
  );
  return html`<h2>Refunds</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Made</th>
          <th>Refund</th>
          <th class="money">Amount</th>
          <th>Reason</th>
          <th>Status</th>
          <th></th>
        </tr>
        ${rows}
      </table>
    </div>`;
};

const disputes = (opened: readonly Dispute[], currency: string): Html => {
  if (opened.length === 0) return html``;
  const rows = opened.map(
    ({ id, amount, createdAt, outcome }) =>
      html`<tr>
        <td>${moment(createdAt)}</td>
        <td><code>${id}</code></td>
        <td class="money">${money(amount, currency)}</td>
        <td>${outcome}</td>
        <td>
          ${outcome === 'open' && [button(`${ROOT}disputes/${id}/won`, 'Win'), button(`${ROOT}disputes/${id}/lost`, 'Lose')]}
        </td>
      </tr>`,
  );
  return html`<h2>Disputes</h2>
    <p>Their end is not delivered: the gateway has to fetch the transaction.</p>
    <div class="scroll">
      <table>
        <tr>
          <th>Opened</th>
          <th>Dispute</th>
          <th class="money">Amount</th>
          <th>Outcome</th>
          <th></th>
        </tr>
        ${rows}
      </table>
    </div>`;
};

/** Everything about one payment, at `/operator/payments/<transaction>`. */
export const paymentPage = (shop: Shop, transaction: Transaction): Html => {
  const { state } = shop;
  const checkout = state.checkouts.find(({ order }) => order === transaction.order);
  const own = [transaction.id, checkout?.id].map((id) => JSON.stringify(id));
  // An event is about the payment if its body names the transaction or the checkout.
  const events = state.events.filter(({ body }) => own.some((id) => body.includes(id)));
  const sent = state.deliveries.filter(({ event }) => events.some(({ id }) => id === event));
  const left = refundable(shop, transaction);
  const { currency, id } = transaction;
  const refunded = state.refunds.filter((one) => one.transaction === id);
  const disputed = state.disputes.filter((one) => one.transaction === id);
  return html`<p><a href="${ROOT}">All payments</a></p>
    ${facts(shop, transaction)} ${left > 0 && refundForm(transaction, left)} ${refunds(refunded, currency)}
    ${disputes(disputed, currency)} ${deliveries(shop, sent, ROOT)}
    <h2>Events</h2>
    ${events.map(
      ({ id: event, type, body }) =>
        html`<details>
          <summary>${type} <code>${event}</code></summary>
          <pre>${JSON.stringify(JSON.parse(body), null, 2)}</pre>
        </details>`,
    )}`;
};
