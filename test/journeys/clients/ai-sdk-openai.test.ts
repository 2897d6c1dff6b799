import { createOpenAI } from '@ai-sdk/openai';
import { aiSdkJourney } from '../../support/customers/ai-sdk-journey.ts';

// It reads the fields that OpenAI has, and the cost is none of them.
aiSdkJourney('@ai-sdk/openai', (settings, model) => createOpenAI(settings).chat(model), undefined);
