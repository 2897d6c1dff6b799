import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Format, Job } from '../../../src/proxy/formats/format.ts';
import {
  ProviderFailed,
  type AnswerEvent,
  type Batch,
  type Provider,
  type ProviderAnswer,
  type ProviderRequest,
} from '../../../src/proxy/providers/provider.ts';
import { request } from '../examples.ts';

/** What the server of a provider does with the next request, whatever its wire format. */
export type Scenario =
  /** Answers `one two three`, finishes with `stop` and reports a usage. */
  | 'answers'
  /** Refuses with a message about the request (400), about our key (401), or for its load (429, retry after 2 s). */
  | 'refuses the request'
  | 'refuses our key'
  | 'is overloaded'
  /** Closes the connection before the response, or within the answer. */
  | 'breaks before the response'
  | 'breaks within the answer'
  /** Sends nothing more after the first text. */
  | 'hangs within the answer';

export type ProviderFixture = {
  readonly provider: Provider;
  /** Prepares the server for a scenario; the fields, if any, go into the body of the request. */
  play(scenario: Scenario): object;
  close(): Promise<void>;
};

const TEXT = 'one two three';

const deltas = (events: readonly AnswerEvent[]) => events.filter((event) => event.kind === 'delta');
const textIn = (events: readonly AnswerEvent[]): string =>
  deltas(events)
    .flatMap(({ parts }) => parts)
    .map(({ text }) => text)
    .join('');

const batchesOf = (answer: ProviderAnswer): AsyncIterable<Batch> => {
  if (answer.kind !== 'stream') throw new Error(`it is ${answer.kind}`);
  return answer.batches;
};

/** The rules that every provider keeps. */
export const describeProvider = (name: string, open: () => Promise<ProviderFixture>): void => {
  describe(`the provider ${name}`, () => {
    let fixture: ProviderFixture;
    beforeAll(async () => {
      fixture = await open();
    });
    afterAll(async () => {
      await fixture.provider.close();
      await fixture.close();
    });

    const ask = (scenario: Scenario, fields: object = {}, more: Partial<ProviderRequest> = {}) => {
      const job = request({ ...fields, ...fixture.play(scenario) });
      const nothing = (): void => undefined;
      const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };
      const { signal } = new AbortController();
      return fixture.provider.ask({ job, model: 'm', outputCap: undefined, signal, watch, ...more });
    };
    const streamed = { stream: true };

    it('returns a whole answer with its text, its finish reason and its usage', async () => {
      const answer = await ask('answers');
      expect(answer).toMatchObject({ kind: 'whole', metered: { texts: [TEXT], finishReason: 'stop' } });
      if (answer.kind !== 'whole') return;
      expect(answer.metered.usage).toBeTypeOf('object');
      const frame = { id: 'gen-1', model: 'm', createdAt: new Date(0) };
      const { content } = answer;
      const json = typeof content === 'string' ? content : request().format.writeAnswer(frame, content, request());
      expect(JSON.parse(json)).toMatchObject({ choices: [{ message: { content: TEXT }, finish_reason: 'stop' }] });
    });

    it('returns a stream as events: deltas, a finish reason, one usage or more, and the end', async () => {
      const events: AnswerEvent[] = [];
      for await (const batch of batchesOf(await ask('answers', streamed))) events.push(...batch.events);
      expect(textIn(events)).toBe(TEXT);
      expect(deltas(events).flatMap(({ parts }) => parts.map(({ finishReason }) => finishReason))).toContain('stop');
      expect(events.filter((event) => 'usage' in event && event.usage !== undefined)).not.toEqual([]);
      expect(events.at(-1)).toEqual({ kind: 'done' });
    });

    it('has each delta in the shape of the format, or as messages for it to write', async () => {
      const writer = request().format.stream?.open(request());
      const frame = { id: 'gen-1', model: 'm', createdAt: new Date(0) };
      let written = '';
      for await (const { events } of batchesOf(await ask('answers', streamed))) {
        for (const delta of deltas(events)) written += writer?.writeDelta(frame, delta) ?? '';
      }
      const chunks = written.split('\n\n').filter((event) => event !== '');
      const contents = chunks.map(
        (event) =>
          (JSON.parse(event.slice('data: '.length)) as { choices: [{ delta: { content?: string } }] }).choices[0].delta
            .content ?? '',
      );
      expect(contents.join('')).toBe(TEXT);
    });

    it.each<[Scenario, object]>([
      ['refuses the request', { status: 400, cause: 'request' }],
      ['refuses our key', { cause: 'account' }],
      ['is overloaded', { cause: 'overload', retryAfterMs: 2000 }],
    ])('returns why it %s', async (scenario, refusal) => {
      for (const fields of [{}, streamed]) {
        expect(await ask(scenario, fields)).toMatchObject({ kind: 'refused', ...refusal });
      }
    });

    it('does not pass on what the server writes about our account', async () => {
      const answer = await ask('refuses our key');
      expect(JSON.stringify(answer)).not.toMatch(/api key|secret/i);
    });

    it('rejects with ProviderFailed if it breaks before the response, or within a whole answer', async () => {
      for (const fields of [{}, streamed]) {
        await expect(ask('breaks before the response', fields)).rejects.toBeInstanceOf(ProviderFailed);
      }
      await expect(ask('breaks within the answer')).rejects.toBeInstanceOf(ProviderFailed);
    });

    it('delivers what came before a stream breaks, and then rejects', async () => {
      const events: AnswerEvent[] = [];
      const read = async (): Promise<void> => {
        for await (const batch of batchesOf(await ask('breaks within the answer', streamed)))
          events.push(...batch.events);
      };
      await expect(read()).rejects.toBeInstanceOf(ProviderFailed);
      expect(textIn(events)).not.toBe('');
      expect(TEXT.startsWith(textIn(events))).toBe(true);
    });

    it('ends at once when it is aborted, with the reason', async () => {
      const controller = new AbortController();
      const reason = new ProviderFailed('reset', 'the test');
      const read = async (): Promise<void> => {
        const answer = await ask('hangs within the answer', streamed, { signal: controller.signal });
        for await (const { events } of batchesOf(answer)) if (textIn(events) !== '') controller.abort(reason);
      };
      await expect(read()).rejects.toBe(reason);
      const whole = ask('answers', {}, { signal: AbortSignal.abort(reason) });
      await expect(whole).rejects.toBe(reason);
    });

    it('refuses a job of a format that it does not know, before it is asked', () => {
      const format: Format = { ...request().format, name: 'unheard-of' };
      const job: Job = { ...request(), format, conversation: () => undefined };
      expect(fixture.provider.unsupported(job)).toMatchObject({ code: 'unsupported_parameter' });
      expect(fixture.provider.unsupported(request())).toBeUndefined();
    });
  });
};
