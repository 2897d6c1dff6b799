import { expect } from 'vitest';
import { answered, contract, one, PROMPT_TOKENS } from './contract.ts';
import { answer, role, says, sse, stays, usage } from './support/wire.ts';

const EVERY_MS = 50;

/** The provider says so much, and then the same without end. */
const endless = (begun: string, more: string) =>
  one(async ({ upstream, streamed, ask }) => {
    const line = stays(streamed, begun);
    upstream.play(line.script);
    const sent = ask();
    const response = await line.asked;
    const timer = setInterval(() => response.write(more), EVERY_MS);
    const seen = await answered(sent);
    expect(await line.gone).toBe('left');
    clearInterval(timer);
    return seen;
  });

contract('too-long', { MAX_STREAM_MS: '1500' }, (row) => {
  row('the provider sends empty deltas without end', endless(sse(role), sse(says(''))));
  row(
    'the provider sends empty deltas without end after its words',
    endless(sse(role, says('a'), says(' b')), sse(says(''))),
    {
      check: ({ generation }) => {
        expect(generation?.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 2 });
        expect(generation?.delivery?.finish_reason).toBe('length');
      },
    },
  );
  row('the provider writes blanks without end', endless(answer('a b', usage).slice(0, 99), ' '));
});
