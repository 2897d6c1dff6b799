import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { aiSdkJourney } from '../../support/customers/ai-sdk-journey.ts';

aiSdkJourney(
  '@ai-sdk/openai-compatible',
  (settings, model) => createOpenAICompatible({ ...settings, name: 'kissapi', includeUsage: true })(model),
  ({ usage }) => (usage as { raw?: { cost?: unknown } }).raw?.cost,
);
