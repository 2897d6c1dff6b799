import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { apiRoutes } from './api/routes.ts';
import { createProduct } from './api/products.ts';
import { pages } from './pages/pages.ts';
import { createControl } from './control.ts';
import type { CreemControl } from './control.ts';
import { DISCOUNTS } from './shop/amounts.ts';
import type { DiscountCode } from './shop/amounts.ts';
import { createShop, settingsWebhook } from './store/shop.ts';
import type { Shop } from './store/shop.ts';
import type { StateStorage } from './store/state-file.ts';
import { emptyState, readState } from './store/state.ts';
import type { Mode } from './store/wire.ts';
import { createDeliveries } from './webhooks/deliveries.ts';
import { createFaults } from './webhooks/faults.ts';

export type CreemStandInOptions = {
  /** What `x-api-key` must be. */
  readonly apiKey: string;
  /** Signs the deliveries to the endpoint of the settings. */
  readonly webhookSecret: string;
  /**
   * Ids follow from it, and the same calls give the same ids. A saved state has its own. A gateway that keeps its
   * payments, but not the state of the stand-in, needs another seed at each start: ids would be used twice.
   */
  readonly seed: string;
  /** Milliseconds since 1970. It may jump forward. */
  readonly now: () => number;
  readonly mode?: Mode;
  /** The address that `POST` deliveries go to. Without it they wait for `control.deliverTo`. */
  readonly webhookUrl?: string;
  /** The address of the pages for a browser; that of the server unless stated. */
  readonly publicUrl?: string;
  /** Keeps the state between two runs. Without it, the state ends with the process. */
  readonly storage?: StateStorage;
  /**
   * Milliseconds of real time between two looks at the schedule of deliveries. Without it, only `control.deliverDue`
   * delivers.
   */
  readonly pollMs?: number;
  /** Milliseconds of real time that an endpoint has for its response. */
  readonly deliveryTimeoutMs?: number;
  /** Milliseconds after which a checkout cannot be paid any more. Creem documents none; a day unless stated. */
  readonly checkoutLifetimeMs?: number;
  readonly discounts?: readonly DiscountCode[];
  /** The name of the product that every new stand-in has. */
  readonly productName?: string;
  /** Receives a line for each delivery that was not answered with 200, and for failures of the stand-in. */
  readonly log?: (line: string) => void;
};

export type CreemStandIn = {
  /** API and pages, for a server of the caller. */
  readonly handler: RequestListener;
  readonly control: CreemControl;
  /** A one-time product of 1.00 USD, for checkouts with a `custom_price`. */
  readonly productId: string;
  /** Starts a server on 127.0.0.1. Port 0 picks a free one. Resolves to its address, for example `http://127.0.0.1:4321`. */
  listen(port?: number): Promise<string>;
  close(): Promise<void>;
};

const DAY_MS = 86_400_000;

/** The product and the endpoint that every stand-in has. Returns the id of the product. */
const prepare = (shop: Shop, { productName, webhookSecret, webhookUrl = '' }: CreemStandInOptions): string => {
  const { state } = shop;
  const webhook = settingsWebhook(shop);
  if (webhook) shop.change(() => Object.assign(webhook, { secret: webhookSecret, url: webhookUrl }));
  else {
    const settings = {
      name: 'settings',
      url: webhookUrl,
      deliveryMode: 'http',
      status: 'enabled',
      events: [],
    } as const;
    shop.change(() =>
      state.webhooks.push({ id: shop.newId('wh'), ofSettings: true, secret: webhookSecret, ...settings }),
    );
  }
  const product = {
    name: productName ?? 'Prepaid credits',
    description: 'Prepaid API credits',
    price: 100,
    currency: 'USD',
    billing_type: 'onetime',
  } as const;
  return (state.products[0] ?? createProduct(shop, product)).id;
};

/**
 * A stand-in for Creem, for development and tests: its API below `/v1`, its payment page, an operator's page, and signed
 * webhook deliveries. It moves no money and accepts no real card.
 */
export const createCreemStandIn = (options: CreemStandInOptions): CreemStandIn => {
  const { apiKey, webhookSecret, storage, pollMs, mode = 'test', log = () => undefined } = options;
  if (apiKey === '' || webhookSecret === '')
    throw new TypeError('The API key and the webhook secret must not be empty.');
  const saved = storage?.load();
  let serverUrl = '';
  const shop = createShop({
    settings: {
      apiKey,
      mode,
      discounts: options.discounts ?? DISCOUNTS,
      checkoutLifetimeMs: options.checkoutLifetimeMs ?? DAY_MS,
    },
    state: saved === undefined ? emptyState(options.seed) : readState(saved),
    now: options.now,
    publicUrl: () => (options.publicUrl ?? serverUrl).replace(/\/+$/, ''),
    save: storage && ((stateJson) => storage.save(stateJson)),
  });
  const productId = prepare(shop, options);
  const faults = createFaults();
  const deliveries = createDeliveries(shop, faults, { timeoutMs: options.deliveryTimeoutMs ?? 10_000, log });

  let polling: NodeJS.Timeout | undefined;
  const look = (): void =>
    void deliveries.deliverDue().catch((error: unknown) => log(`Deliveries stopped: ${String(error)}`));
  if (pollMs !== undefined) polling = setInterval(look, pollMs).unref();
  // After the response to the request that caused the event.
  const wake = (): void => void (polling && setImmediate(look));

  const control = createControl({
    shop,
    faults,
    deliveries,
    wake,
    deliverTo: (url) => {
      const webhook = settingsWebhook(shop);
      if (webhook) shop.change(() => (webhook.url = url));
      wake();
    },
  });
  const app = express()
    .disable('x-powered-by')
    .use((_request, response, next) => {
      response.on('finish', wake);
      next();
    })
    .use('/v1', apiRoutes(shop, faults))
    .use(pages(shop, faults, deliveries));
  const server = createServer(app);
  return {
    handler: app,
    control,
    productId,
    listen: async (port = 0) => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, '127.0.0.1', resolve);
      });
      serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return serverUrl;
    },
    close: async () => {
      clearInterval(polling);
      await deliveries.close();
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
};
