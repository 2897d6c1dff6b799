import { expect, it } from 'vitest';
import { readJob } from '../examples.ts';
import { isBadRequest } from '../../../src/proxy/formats/format.ts';

it("reads Google's signature of a call from the call, also if the client returns a copy with the message", () => {
  const extra_content = { google: { thought_signature: 's' } };
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content };
  const message = { role: 'assistant', content: null, tool_calls: [call], extra_content };
  const job = readJob('/chat/completions', Buffer.from(JSON.stringify({ model: 'm', messages: [message] })));
  if (isBadRequest(job)) throw new Error(job.message);
  expect(job.conversation()).toMatchObject({
    messages: [
      {
        role: 'assistant',
        parts: [
          { kind: 'thinking', text: '', signature: { from: 'gemini', value: 's' } },
          { kind: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
        ],
      },
    ],
  });
});
