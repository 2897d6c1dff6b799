import { createScriptedUpstream, type Script } from '../../../support/scripted-upstream.ts';
import { describeProvider, type Scenario } from '../provider.contract.ts';
import {
  ends,
  events,
  isStream,
  message,
  opens,
  adds,
  ping,
  providerAt,
  refuses,
  start,
  stop,
  streamed,
  text,
  usage,
  whole,
} from './upstream.ts';

const answer = whole({
  ...{ content: [{ type: 'text', text: 'one two three' }], stop_reason: 'end_turn' },
  usage: { ...usage, output_tokens: 3 },
});

const begun =
  (end: boolean): Script =>
  (response, body) => {
    if (!isStream(body)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(JSON.stringify(message).slice(0, 20), () => response.destroy());
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const first = events(start, opens(0, { type: 'text', text: '' }), adds(0, { type: 'text_delta', text: 'one ' }));
    response.write(first, () => {
      if (end) setTimeout(() => response.destroy(), 20);
    });
  };

const scripts: Record<Scenario, Script> = {
  answers: (response, body, request) => {
    const stream = streamed(start, ping, ...text(0, 'one ', 'two ', 'three'), ends('end_turn'), stop);
    (isStream(body) ? stream : answer)(response, body, request);
  },
  'refuses the request': refuses(400, 'invalid_request_error', 'messages: at least one message is required'),
  'refuses our key': refuses(401, 'authentication_error', 'invalid x-api-key sk-ant-secret'),
  'is overloaded': refuses(529, 'overloaded_error', 'Overloaded', { 'retry-after': '2' }),
  'breaks before the response': (response) => response.destroy(),
  'breaks within the answer': begun(true),
  'hangs within the answer': begun(false),
};

describeProvider('anthropic', async () => {
  const server = await createScriptedUpstream();
  return {
    provider: providerAt(server.url),
    play: (scenario) => {
      server.play(scripts[scenario]);
      return {};
    },
    close: server.close,
  };
});
