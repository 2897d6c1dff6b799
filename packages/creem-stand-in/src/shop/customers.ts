import { Refusal, iso } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Customer, Metadata } from '../store/wire.ts';

type NewCustomer = {
  readonly email: string;
  readonly name: string | null;
  readonly externalId?: string | undefined;
  readonly metadata?: Metadata | undefined;
};

const addCustomer = (shop: Shop, { email, name, externalId, metadata }: NewCustomer): Customer => {
  const at = iso(shop.now());
  const customer: Customer = {
    id: shop.newId('cust'),
    mode: shop.settings.mode,
    object: 'customer',
    email,
    name,
    country: null,
    ...(externalId !== undefined && { external_id: externalId }),
    ...(metadata !== undefined && { metadata }),
    created_at: at,
    updated_at: at,
  };
  shop.state.customers.push(customer);
  return customer;
};

/** Refuses an address or an external id that another customer has. */
export const createCustomer = (shop: Shop, customer: NewCustomer): Customer => {
  const { customers } = shop.state;
  if (customers.some(({ email }) => email === customer.email)) {
    throw new Refusal('duplicate_email', 'A customer with this email already exists');
  }
  if (customer.externalId !== undefined && customers.some((one) => one.external_id === customer.externalId)) {
    throw new Refusal('duplicate_external_id', 'A customer with this external_id already exists');
  }
  return shop.change(() => addCustomer(shop, customer));
};

/** The customer of a checkout, created by the first payment. */
export const customerByEmail = (shop: Shop, email: string, name: string | undefined): Customer => {
  const found = shop.state.customers.find((one) => one.email === email);
  if (!found) return addCustomer(shop, { email, name: name?.trim() || null });
  if (name?.trim()) found.name = name.trim();
  return found;
};
