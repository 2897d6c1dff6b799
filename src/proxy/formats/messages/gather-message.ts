import { invariant } from '../../../domain/decider.ts';
import { parseExact } from '../../json/exact-json.ts';
import { asList, field } from '../../json/untyped-json.ts';
import type { Gathering } from '../format.ts';
import { gatherEvents } from '../gather-events.ts';

type Members = Record<string, unknown>;

/** Assembles the message of a stream, as Anthropic's SDKs do. */
export const gatherMessage = (): Gathering => {
  let message: Members | undefined;
  const blocks: Members[] = [];
  const inputs = new Map<number, string>();
  return gatherEvents({
    add: (data) => {
      const event = parseExact(data) as Members;
      const index = Number(event['index']);
      switch (event['type']) {
        case 'message_start':
          message ??= { ...(event['message'] as Members) };
          break;
        case 'content_block_start':
          blocks[index] = { ...(event['content_block'] as Members) };
          break;
        case 'content_block_delta':
          addDelta(blocks[index], event['delta'], (json) => inputs.set(index, (inputs.get(index) ?? '') + json));
          break;
        case 'message_delta': {
          const { type: _, delta, ...rest } = event;
          message = { ...message, ...(delta as Members), ...rest };
        }
      }
    },
    answer: () => {
      invariant(message !== undefined, 'a stream that completed is a message');
      for (const [index, json] of inputs) if (json !== '') (blocks[index] as Members)['input'] = parseExact(json);
      return JSON.stringify({ ...message, content: blocks });
    },
  });
};

const addDelta = (block: Members | undefined, delta: unknown, addInput: (json: string) => void): void => {
  if (!block) return;
  const append = (name: string): void => {
    block[name] = `${String(block[name] ?? '')}${String(field(delta, name))}`;
  };
  switch (field(delta, 'type')) {
    case 'text_delta':
      return append('text');
    case 'thinking_delta':
      return append('thinking');
    case 'signature_delta':
      return append('signature');
    case 'input_json_delta':
      return addInput(String(field(delta, 'partial_json')));
    case 'citations_delta':
      block['citations'] = [...asList(block['citations']), field(delta, 'citation')];
  }
};
