import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createCreemStandIn, createStateFile } from '@kissapi/creem-stand-in';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { PartnerConfig } from '../../config/payment-settings.ts';
import { createCreem } from '../../payments/creem/creem.ts';
import type { PaymentPartner } from '../../payments/partner.ts';

type OpenPartnerOptions = {
  readonly config: Pick<Config, 'payments' | 'dataDir' | 'port'>;
  readonly now: () => Date;
  readonly log: Logger;
};

/** The payment partner, and its stand-in if payments are simulated. Must be closed. */
type OpenedPartner = {
  readonly partner: PaymentPartner | undefined;
  /** The page on which a developer acts as the partner; undefined without the stand-in. */
  readonly operatorPage: string | undefined;
  /** From now on the stand-in delivers its webhooks to the gateway at this address. */
  deliverTo(gatewayUrl: string): void;
  close(): Promise<void>;
};

export const openPartner = async (options: OpenPartnerOptions): Promise<OpenedPartner> => {
  const { partner: config } = options.config.payments;
  if (config.kind === 'simulated') return openStandIn(options);
  const partner = config.kind === 'creem' ? openCreem(config) : undefined;
  return {
    partner,
    operatorPage: undefined,
    deliverTo: () => undefined,
    close: async () => partner?.close(),
  };
};

/** Payments with a test key must not look like real ones after the key was changed. */
const openCreem = ({ apiKey, webhookSecret, productId, url, isTest }: Extract<PartnerConfig, { kind: 'creem' }>) => ({
  ...createCreem({ apiKey, webhookSecret, productId, baseUrl: `${url}/v1` }),
  name: isTest ? 'creem-test' : 'creem',
});

/** These need not be secret: the stand-in listens on this machine only, and moves no money. */
const STAND_IN = { apiKey: 'creem_test_simulated', webhookSecret: 'whsec_simulated' } as const;
const STATE_FILE = 'simulated-payments.json';
/** How often the stand-in looks for deliveries that are due. */
const POLL_MS = 500;

/** The partner for a command beside a gateway: the stand-in runs in the gateway. Undefined without a partner. Must be closed. */
export const partnerForCommands = ({
  payments,
  port,
}: Pick<Config, 'payments' | 'port'>): PaymentPartner | undefined => {
  const { partner: config } = payments;
  if (config.kind === 'creem') return openCreem(config);
  return config.kind === 'simulated' ? standInAt(`http://127.0.0.1:${port + 1}`, 'prod_simulated') : undefined;
};

const standInAt = (url: string, productId: string): PaymentPartner => ({
  ...createCreem({ ...STAND_IN, productId, baseUrl: `${url}/v1` }),
  name: 'simulated',
});

const openStandIn = async ({ config, now, log }: OpenPartnerOptions): Promise<OpenedPartner> => {
  await mkdir(config.dataDir, { recursive: true });
  const standIn = createCreemStandIn({
    ...STAND_IN,
    seed: randomBytes(8).toString('hex'),
    now: () => now().getTime(),
    storage: createStateFile(join(config.dataDir, STATE_FILE)),
    pollMs: POLL_MS,
    log: (line) => log.info({ simulated: true }, line),
  });
  // A fixed port, so that payment pages keep their address over a restart.
  const listen = (port: number): Promise<string> => standIn.listen(port);
  const url = await (config.port === 0 ? listen(0) : listen(config.port + 1).catch(() => listen(0)));
  const partner = standInAt(url, standIn.productId);
  return {
    partner,
    operatorPage: `${url}/operator`,
    deliverTo: (gatewayUrl) => standIn.control.deliverTo(`${gatewayUrl}/webhooks/creem`),
    close: async () => {
      await partner.close();
      await standIn.close();
    },
  };
};
