import { formatUsd, jsonUsd } from '../../domain/money.ts';
import { withMember } from '../json/json-text.ts';
import { asList, field } from '../json/untyped-json.ts';
import type { MessageDelta, NeutralAnswer } from '../providers/answer.ts';
import type { Format, Frame, StreamWriter } from './format.ts';
import { usageOf, withCost } from './openai-usage.ts';

/** The differences between OpenAI's chat and its legacy completions. */
export type Shape = {
  readonly object: string;
  readonly chunkObject: string;
  /** The part of a whole choice that holds its message. */
  message(message: MessageDelta): object;
  /** The part of a streamed choice that holds its delta; undefined for the end of a choice. */
  delta(message: MessageDelta | undefined): object;
};

type Writer = Pick<Format, 'writeAnswer' | 'addSettlement' | 'addShortage'> & { readonly stream: StreamWriter };

/** Writes answers in OpenAI's wire format. */
export function createOpenAiWriter(shape: Shape): Writer;
export function createOpenAiWriter(shape: undefined): Pick<Writer, 'addSettlement' | 'addShortage'>;
export function createOpenAiWriter(shape: Shape | undefined): Partial<Writer> {
  return { addSettlement, addShortage, ...(shape ? { writeAnswer: answerOf(shape), stream: streamOf(shape) } : {}) };
}

const addSettlement: Format['addSettlement'] = (body, settlement) =>
  withCost(body, usageOf(settlement), formatUsd(settlement.charged));

/** `finish_reason` alone does not distinguish a limit that credits set from the model's own. */
const addShortage: Format['addShortage'] = (body, { generationId, error }) => {
  const isCut = asList(field(JSON.parse(body), 'choices')).some((one) => field(one, 'finish_reason') === 'length');
  return isCut ? withMember(body, 'kissapi', JSON.stringify({ generation_id: generationId, error })) : body;
};

const frameOf = ({ id, model, createdAt }: Frame, object: string) => ({
  ...{ id, object },
  created: Math.floor(createdAt.getTime() / 1000),
  model,
});

const answerOf =
  ({ object, message }: Shape) =>
  (frame: Frame, { choices }: NeutralAnswer): string =>
    JSON.stringify({
      ...frameOf(frame, object),
      choices: choices.map((choice, index) => ({
        index,
        ...message(choice.message),
        logprobs: null,
        finish_reason: choice.finishReason,
      })),
    });

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const END = 'data: [DONE]\n\n';

const streamOf = ({ chunkObject, delta }: Shape): StreamWriter => ({
  writeDelta: (frame, { parts }) =>
    event({
      ...frameOf(frame, chunkObject),
      choices: parts.map(({ choice, message, finishReason }) => ({
        index: choice,
        ...delta(message),
        finish_reason: finishReason,
      })),
    }),
  writeEnd: (frame, settlement, usageChunk) => {
    if (!settlement) return END;
    const usage = {
      ...usageOf(settlement),
      cost: jsonUsd(settlement.charged),
      cost_usd: formatUsd(settlement.charged),
    };
    const chunk = (usageChunk as object | undefined) ?? { ...frameOf(frame, chunkObject), choices: [] };
    return `${event({ ...chunk, usage })}${END}`;
  },
  // An `error` at the top of a chunk makes the SDKs throw, and their users lose the text that they paid for. So the
  // reason is in our own field, which the SDKs pass on.
  writeCut: (frame, choices, notice) =>
    choices
      .map((index) =>
        event({
          ...frameOf(frame, chunkObject),
          choices: [{ index, ...delta(undefined), finish_reason: 'length' }],
          ...(notice ? { kissapi: { generation_id: notice.generationId, error: notice.error } } : {}),
        }),
      )
      .join(''),
  // Clients that asked for a stream do not read JSON: the SDKs would return nothing of what was paid for.
  fromAnswer: (body, includeUsage) => {
    const {
      choices,
      usage,
      system_fingerprint: print,
      ...rest
    } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const answer = { ...rest, ...(print === null || print === undefined ? {} : { system_fingerprint: print }) };
    const content = event({ ...answer, object: chunkObject, choices: asList(choices).map(streamedChoice) });
    const report = { ...answer, object: chunkObject, choices: [], usage: exact(usage) };
    return `${content}${includeUsage ? event(report) : ''}${END}`;
  },
});

/** The parsed cost is a float, so it is written from its text. */
const exact = (usage: unknown): unknown => ({
  ...(usage as object),
  cost: JSON.rawJSON(String(field(usage, 'cost_usd'))),
});

const streamedChoice = (choice: unknown): unknown => {
  const message = field(choice, 'message');
  if (typeof choice !== 'object' || typeof message !== 'object') return choice;
  const calls = asList(field(message, 'tool_calls')).map((call, index) => ({ index, ...(call as object) }));
  const { message: _, ...rest } = choice as Readonly<Record<string, unknown>>;
  return { ...rest, delta: { ...message, ...(calls.length > 0 ? { tool_calls: calls } : {}) } };
};
