import type { Conversation } from '../../../src/proxy/formats/conversation.ts';
import type { Job } from '../../../src/proxy/formats/format.ts';
import { request } from '../examples.ts';

export const conversation = (more: Partial<Conversation> = {}): Conversation => ({
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'How are you?' }] }],
  ...{ tools: [], settings: {}, others: {} },
  ...more,
});

/** A job of a format that no provider speaks. */
export const foreignJob = (more: Partial<Conversation> = {}, job: Partial<Job> = {}): Job => ({
  ...request(),
  format: { ...request().format, name: 'foreign' },
  conversation: () => conversation(more),
  ...job,
});
