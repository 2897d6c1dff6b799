import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { aiSdkJourney } from '../../support/customers/ai-sdk-journey.ts';

aiSdkJourney(
  '@openrouter/ai-sdk-provider',
  (settings, model) => createOpenRouter({ ...settings, compatibility: 'strict' }).chat(model),
  ({ providerMetadata }) =>
    (providerMetadata as { openrouter?: { usage?: { cost?: unknown } } } | undefined)?.openrouter?.usage?.cost,
);
