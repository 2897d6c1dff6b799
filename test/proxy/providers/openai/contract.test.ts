import { createOpenAiProvider } from '../../../../src/proxy/providers/openai/openai.ts';
import { createScriptedUpstream, says, streams, type Script } from '../../../support/scripted-upstream.ts';
import { chunk, lastChunk, usage, usageChunk } from '../../examples.ts';
import { describeProvider, type Scenario } from '../provider.contract.ts';

const message = { role: 'assistant', content: 'one two three' };
const whole = JSON.stringify({
  id: 'chatcmpl-1',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage: usage(9, 3),
});
const texts = ['one ', 'two ', 'three'].map((content) => chunk({ content }));
const refused = (status: number, text: string, headers = {}): Script =>
  says(JSON.stringify({ error: { message: text, type: 'x', param: null, code: null } }), { status, headers });

const begun =
  (end: boolean): Script =>
  (response, body) => {
    if ((JSON.parse(body) as { stream?: boolean }).stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(whole.slice(0, 20), () => response.destroy());
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${texts[0]}\n\n`, () => {
      if (end) setTimeout(() => response.destroy(), 20);
    });
  };

const scripts: Record<Scenario, Script> = {
  answers: (response, body, request) => {
    const isStream = (JSON.parse(body) as { stream?: boolean }).stream === true;
    const script = isStream ? streams(...texts, lastChunk, usageChunk(9, 3), '[DONE]') : says(whole);
    script(response, body, request);
  },
  'refuses the request': refused(400, 'messages is too long'),
  'refuses our key': refused(401, 'Incorrect API key provided: sk-secret'),
  'is overloaded': refused(429, 'Slow down.', { 'retry-after': '2' }),
  'breaks before the response': (response) => response.destroy(),
  'breaks within the answer': begun(true),
  'hangs within the answer': begun(false),
};

describeProvider('openai', async () => {
  const server = await createScriptedUpstream();
  const provider = createOpenAiProvider({
    ...{ name: 'test', baseUrl: server.url, apiKey: 'sk-1', outputLimitField: 'max_tokens' },
    ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
  });
  return {
    provider,
    play: (scenario) => {
      server.play(scripts[scenario]);
      return {};
    },
    close: server.close,
  };
});
