import { expect, it } from 'vitest';
import { readJob } from '../examples.ts';
import { isBadRequest } from '../../../src/proxy/formats/format.ts';

const partsOf = (message: object) => {
  const body = { model: 'm', messages: [{ role: 'assistant', content: null, ...message }] };
  const job = readJob('/chat/completions', Buffer.from(JSON.stringify(body)));
  if (isBadRequest(job)) throw new Error(job.message);
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error('a conversation');
  return conversation.messages[0]?.parts;
};

it("reads Google's signature of a call from the call, also if the client returns a copy with the message", () => {
  const extra_content = { google: { thought_signature: 's' } };
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content };
  expect(partsOf({ tool_calls: [call], extra_content })).toEqual([
    { kind: 'thinking', text: '', signature: { from: 'gemini', value: 's' } },
    { kind: 'tool_call', id: 'c', name: 'f', arguments: '{}' },
  ]);
});

it('joins the pieces of a thought that a client collected from a stream', () => {
  const piece = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
  const signed = (value: string) => ({ ...piece, text: '', signature: value });
  const reasoning_details = [
    ...[{ ...piece, text: 'Let me ' }, { ...piece, text: 'see.' }, signed('a')],
    ...[{ ...piece, text: 'Hm.' }, signed('b'), { ...piece, text: 'Whole.', signature: 'c' }],
  ];
  const thought = (text: string, value: string) => ({
    kind: 'thinking',
    text,
    signature: { from: 'anthropic', value },
  });
  expect(partsOf({ reasoning_details })).toEqual([
    ...[thought('Let me see.', 'a'), thought('Hm.', 'b'), thought('Whole.', 'c')],
  ]);
});
