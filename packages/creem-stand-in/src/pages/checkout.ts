import express, { Router } from 'express';
import type { Response } from 'express';
import { Refusal, find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Checkout } from '../store/state.ts';
import { COUNTRIES, amountsOf } from '../shop/amounts.ts';
import type { Amounts } from '../shop/amounts.ts';
import { TEST_CARDS, grouped } from '../shop/cards.ts';
import { countryOf, discountOf, pay, redirectUrl, statusOf } from '../shop/checkouts.ts';
import type { Faults } from '../webhooks/faults.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { moment, money, sendPage } from './page.ts';

const LABEL = 'Simulated payment page. No money moves.';

/** What a customer has entered. */
type Entered = {
  readonly email: string;
  readonly name: string;
  readonly country: string;
  readonly discount: string;
  readonly card: string;
  readonly otherCard: string;
};

type Form = Readonly<Record<string, unknown>>;

const textOf = (form: Form, name: string): string => {
  const value = form[name];
  return typeof value === 'string' ? value.slice(0, 320) : '';
};

const enteredIn = (form: Form): Entered => ({
  email: textOf(form, 'email'),
  name: textOf(form, 'name'),
  country: textOf(form, 'country'),
  discount: textOf(form, 'discount'),
  card: textOf(form, 'card'),
  otherCard: textOf(form, 'other_card'),
});

const firstEntered = ({ state }: Shop, checkout: Checkout): Entered => {
  const email = checkout.email ?? '';
  const known = state.customers.find((one) => one.id === checkout.customer || one.email === email);
  return {
    email: email === '' ? (known?.email ?? '') : email,
    name: known?.name ?? '',
    country: known?.country ?? 'US',
    discount: checkout.discountCode ?? '',
    card: TEST_CARDS[0]?.number ?? '',
    otherCard: '',
  };
};

const option = (value: string, label: string, chosen: string): Html =>
  value === chosen
    ? html`<option value="${value}" selected>${label}</option>`
    : html`<option value="${value}">${label}</option>`;

const sums = (amounts: Amounts, currency: string, country: string, percent: number): Html =>
  html`<table>
    <tr>
      <td>Subtotal</td>
      <td class="money">${money(amounts.subTotal, currency)}</td>
    </tr>
    ${
      amounts.discount > 0 &&
      html`<tr>
        <td>Discount</td>
        <td class="money">${money(-amounts.discount, currency)}</td>
      </tr>`
    }
    <tr>
      <td>Tax (${country}, ${percent} %)</td>
      <td class="money">${money(amounts.tax, currency)}</td>
    </tr>
    <tr class="total">
      <td>Total</td>
      <td class="money" id="total">${money(amounts.total, currency)}</td>
    </tr>
  </table>`;

const fields = (entered: Entered): Html =>
  html` <label
      >E-mail address
      <input name="email" type="email" required maxlength="320" autocomplete="email" value="${entered.email}"
    /></label>
    <label>Name <input name="name" maxlength="200" autocomplete="name" value="${entered.name}" /></label>
    <label
      >Country <span class="hint">Decides the tax.</span>
      <select name="country">
        ${COUNTRIES.map(({ code, name }) => option(code, name, entered.country))}
      </select></label
    >
    <label
      >Discount code <span class="hint">Optional.</span>
      <input name="discount" maxlength="100" autocomplete="off" value="${entered.discount}"
    /></label>
    <label
      >Test card
      <select name="card">
        ${TEST_CARDS.map(({ number, label }) => option(number, `${grouped(number)}: ${label}`, entered.card))}
      </select></label
    >
    <label
      >Another card number <span class="hint">Optional, used instead of the one above. Never enter a real one.</span>
      <input name="other_card" inputmode="numeric" maxlength="40" autocomplete="off" value="${entered.otherCard}"
    /></label>`;

type Problem = { readonly status: number; readonly message: string };

/** The amounts that are due. An unknown country or discount code is ignored, and the result has the reason. */
const priced = (shop: Shop, checkout: Checkout, entered: Entered) => {
  const { currency, name: product, tax_mode: taxMode } = find(shop.state.products, checkout.product, 'Product');
  let problem: Problem | undefined;
  const orElse = <T>(work: () => T, instead: T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problem = { status: error.status, message: error.message };
      return instead;
    }
  };
  const country = orElse(() => countryOf(entered.country), countryOf('US'));
  const code = orElse(() => discountOf(shop, entered.discount), undefined);
  return { amounts: amountsOf(checkout.subTotal, country, code, taxMode), country, currency, product, problem };
};

const sendForm = (shop: Shop, response: Response, checkout: Checkout, entered: Entered, failed?: Problem): void => {
  const { amounts, country, currency, product, problem } = priced(shop, checkout, entered);
  const shown = failed ?? problem;
  const { successUrl } = checkout;
  const total = money(amounts.total, currency);
  const body = html`<p>${product}${checkout.units > 1 && ` × ${checkout.units}`}</p>
    ${shown && html`<p class="error" role="alert">${shown.message}</p>`}
    <form method="post" class="card">
      ${fields(entered)} ${sums(amounts, currency, country.name, country.taxBasisPoints / 100)}
      <input type="hidden" name="total" value="${amounts.total}" />
      <button class="first wide" name="do" value="pay">Pay ${total}</button>
      <button class="wide" name="do" value="update">Update the total</button>
      <button class="wide" name="do" value="cancel" formnovalidate>Cancel</button>
    </form>
    <p class="soft">Can be paid until ${moment(checkout.expiresAt)}.</p>`;
  const formTargets = successUrl === undefined ? [] : [new URL(successUrl).origin];
  sendPage(response, shown?.status ?? 200, { title: `Pay ${total}`, label: LABEL, body, narrow: true, formTargets });
};

const sendNote = (response: Response, status: number, title: string, body: Html): void =>
  sendPage(response, status, { title, label: LABEL, body, narrow: true });

const sendPaid = (shop: Shop, response: Response, checkout: Checkout): void => {
  const back = redirectUrl(shop, checkout);
  const link = back !== undefined && html`<p><a href="${back}">Continue</a></p>`;
  sendNote(
    response,
    200,
    'Paid',
    html`<p>This checkout has been paid.</p>
      ${link}`,
  );
};

const sendCancelled = (response: Response, { successUrl }: Checkout): void => {
  const link = successUrl !== undefined && html`<p><a href="${successUrl}">Return without paying</a></p>`;
  const body = html`<p>Nothing was paid.</p>
    <p><a href="">Back to the payment</a></p>
    ${link}`;
  sendNote(response, 200, 'Cancelled', body);
};

/** Returns a checkout that can be paid. Otherwise sends the response, and returns undefined. */
const payable = (shop: Shop, response: Response, id: string): Checkout | undefined => {
  const checkout = shop.state.checkouts.find((one) => one.id === id);
  if (!checkout) {
    sendNote(response, 404, 'Not found', html`<p>There is no such checkout.</p>`);
    return undefined;
  }
  switch (statusOf(shop, checkout)) {
    case 'pending':
      return checkout;
    case 'completed':
      sendPaid(shop, response, checkout);
      return undefined;
    case 'expired':
      sendNote(response, 410, 'Expired', html`<p>This checkout has expired. Nothing was paid.</p>`);
      return undefined;
  }
};

const sendOutcome = (shop: Shop, faults: Faults, response: Response, checkout: Checkout, form: Form): void => {
  const entered = enteredIn(form);
  const again = (status: number, message: string): void =>
    sendForm(shop, response, checkout, entered, { status, message });
  const { amounts, problem } = priced(shop, checkout, entered);
  if (problem) return again(problem.status, problem.message);
  // Without a script the page cannot follow what is entered, and a customer pays only a total that was shown.
  if (textOf(form, 'total') !== String(amounts.total)) return again(409, 'The total has changed. Check it and pay.');
  const card = entered.otherCard.trim() === '' ? entered.card : entered.otherCard;
  const { email, name, country, discount: discountCode } = entered;
  try {
    const outcome = pay(shop, faults, checkout.id, { card, country, discountCode, email, name });
    if (outcome.kind === 'declined') return again(402, outcome.message);
    if (outcome.redirectUrl !== undefined) return response.redirect(303, outcome.redirectUrl);
    sendPaid(shop, response, checkout);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    again(error.status, error.message);
  }
};

/** The page that `checkout_url` leads to. */
export const checkoutPages = (shop: Shop, faults: Faults): Router =>
  Router()
    .get('/:id', (request, response) => {
      const checkout = payable(shop, response, request.params.id);
      if (checkout) sendForm(shop, response, checkout, firstEntered(shop, checkout));
    })
    .post('/:id', express.urlencoded({ extended: false, limit: '10kb' }), (request, response) => {
      const checkout = payable(shop, response, request.params.id);
      if (!checkout) return;
      const form = (request.body ?? {}) as Form;
      switch (textOf(form, 'do')) {
        case 'pay':
          return sendOutcome(shop, faults, response, checkout, form);
        case 'cancel':
          return sendCancelled(response, checkout);
        default:
          return sendForm(shop, response, checkout, enteredIn(form));
      }
    });
