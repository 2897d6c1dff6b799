import { expect } from 'vitest';
import { costUsdOf, errorChunkOf, errorOf, wordsOf } from '../../support/traffic.ts';
import { answered, contract, one, PROMPT_TOKENS, type Seen } from './contract.ts';
import { breaks, DONE, plays, reports, role, says, sse, stop, tokens, usage } from './support/wire.ts';

const words = [role, says('a'), says(' b'), says(' c')];
const error = JSON.stringify({
  error: { message: 'Overloaded for org-ours', type: 'server_error', code: 'server_error' },
});

/** The provider says so much, and ends the connection in good order; or breaks it. */
const ending = (...events: readonly string[]) =>
  one(({ upstream, ask }) => {
    upstream.play(plays(true, sse(...events)));
    return answered(ask());
  });
const breaking = (...events: readonly string[]) =>
  one(({ upstream, ask }) => {
    upstream.play(breaks(true, sse(...events)));
    return answered(ask());
  });

/** All that was said before the end is the customer's, and no more is charged. */
const metered = ({ answer, generation }: Seen): void => {
  expect(wordsOf(answer)).toBe('a b c');
  expect(generation?.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 3 });
};
const reported = ({ answer, generation }: Seen): void => {
  expect(wordsOf(answer)).toBe('a b c');
  expect(generation?.tokens).toMatchObject({ input: 9, output: 3 });
};
/** What ended in good order tells its cost. */
const toldItsCost = ({ answer, generation }: Seen): void => expect(costUsdOf(answer)).toBe(generation?.chargedUsd);

/** The last event is the error and nothing else: with choices beside it, some clients take the stream for complete. */
const wellFormed = ({ answer, generation }: Seen): void => {
  const last = answer.body.trimEnd().split('\n\n').at(-1) ?? '';
  expect(JSON.parse(last.replace(/^data: /, ''))).toEqual({
    error: {
      message: 'The provider broke off the stream.',
      type: 'upstream_error',
      code: 'upstream_error',
      param: null,
      request_id: answer.headers.get('x-request-id'),
      generation_id: generation?.generationId,
    },
  });
  expect(answer.body).not.toContain(DONE);
};

contract('streams-cut', {}, (row) => {
  row('resets before the first token', breaking(role), { check: wellFormed });
  row('resets before the first token, when a usage has been reported', breaking(role, reports(usage)));
  row('resets mid-stream', breaking(...words), {
    check: (seen) => {
      metered(seen);
      wellFormed(seen);
    },
  });
  row('resets mid-stream, when its usage has been reported', breaking(...words, reports(usage)), { check: reported });
  row(
    'resets mid-stream, when more was said after its usage',
    breaking(role, says('a'), reports(tokens(9, 1)), says(' b'), says(' c')),
    { check: reported },
  );

  row('ends without [DONE], with its usage and a finish reason', ending(...words, stop, reports(usage)), {
    check: (seen) => {
      reported(seen);
      toldItsCost(seen);
    },
  });
  row('ends without [DONE], with a finish reason', ending(...words, stop), {
    check: (seen) => {
      metered(seen);
      toldItsCost(seen);
    },
  });
  row('ends without [DONE], with its usage', ending(...words, reports(usage)), { check: reported });
  row('ends without [DONE], with neither', ending(...words), { check: metered });
  row('ends without a word', ending());
  row('says [DONE] and nothing else', ending(role, DONE), { check: wellFormed });
  row('says [DONE] without a finish reason', ending(...words, DONE), { check: metered });
  row('says nothing, but how it finished and its usage', ending(role, stop, reports(usage), DONE), {
    check: toldItsCost,
  });

  const tellsItOnce = ({ answer }: Seen): void => {
    expect(errorChunkOf(answer)).toMatchObject({
      type: 'upstream_error',
      message: 'The provider broke off the stream.',
    });
    expect(answer.body.match(/"error":/g)).toHaveLength(1);
    // The provider's own words may be about our account there.
    expect(answer.body).not.toContain('org-ours');
  };
  row('says an error before the first token', ending(role, error), { check: tellsItOnce });
  row('says an error mid-stream', ending(...words, error), {
    check: (seen) => {
      tellsItOnce(seen);
      metered(seen);
    },
  });
  row('says an error mid-stream, then [DONE]', ending(...words, error, DONE), { check: tellsItOnce });
  const tooLong = JSON.stringify({
    error: { message: 'Too long.', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' },
  });
  row('says first of all that the request is too long', ending(tooLong, DONE), {
    check: ({ answer }) => expect(errorOf(answer)).toMatchObject({ message: 'Too long.', param: 'messages' }),
  });
  row('says mid-stream that the request is too long', ending(...words, tooLong), {
    check: (seen) => {
      metered(seen);
      expect(errorChunkOf(seen.answer)).toMatchObject({ message: 'Too long.', type: 'invalid_request_error' });
    },
  });
  const failed = stop.replace('"stop"', '"network_error"');
  row('finishes before the first token, for a reason that is a failure', ending(role, failed, DONE), {
    check: wellFormed,
  });
  row('finishes mid-stream, for a reason that is a failure', ending(...words, failed, DONE), {
    check: (seen) => {
      wellFormed(seen);
      metered(seen);
    },
  });
  row('says what is not JSON mid-stream', ending(...words, '<html>', stop, reports(usage), DONE), {
    check: ({ answer, generation }) => {
      expect(answer.body).not.toContain('<html>');
      expect(generation?.tokens).toMatchObject({ input: 9, output: 3 });
    },
  });
});
