import { invariant } from '../../domain/decider.ts';
import { formatUsd, jsonUsd } from '../../domain/money.ts';
import { withMember } from '../json/json-text.ts';
import { asList, field } from '../json/untyped-json.ts';
import { createGathering, type WholeObject } from '../providers/openai/gathered-answer.ts';
import type { NeutralAnswer, Piece } from '../providers/answer.ts';
import type { AssistantPart } from './conversation.ts';
import type { Format, Frame, Gathering, StreamFormat, StreamWriter } from './format.ts';
import { usageOf, withCost } from './openai-usage.ts';

/** The differences between OpenAI's chat and its legacy completions. */
export type Shape = {
  readonly object: WholeObject;
  readonly chunkObject: string;
  /** The part of a whole choice that holds its message. */
  message(parts: readonly AssistantPart[]): object;
  /** The part of a streamed choice that holds its delta. `isFirst` if the choice had none before. */
  delta(pieces: readonly Piece[], isFirst: boolean): object;
};

type Writer = Pick<Format, 'writeAnswer' | 'addSettlement' | 'addShortage'> & { readonly stream: StreamFormat };

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
        ...message(choice.parts),
        logprobs: null,
        finish_reason: choice.finishReason,
        ...nativeReason(choice),
      })),
    });

/** As OpenRouter names it. */
const nativeReason = ({ nativeFinishReason }: { readonly nativeFinishReason?: string }) =>
  nativeFinishReason === undefined ? {} : { native_finish_reason: nativeFinishReason };

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const END = 'data: [DONE]\n\n';

const streamOf = (shape: Shape): StreamFormat => ({
  open: () => writerOf(shape),
  gather: () => gatheringOf(createGathering(shape.object)),
  // Clients that asked for a stream do not read JSON: the SDKs would return nothing of what was paid for.
  fromAnswer: (body, includeUsage) => {
    const {
      choices,
      usage,
      system_fingerprint: print,
      ...rest
    } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const answer = { ...rest, ...(print === null || print === undefined ? {} : { system_fingerprint: print }) };
    const object = shape.chunkObject;
    const content = event({ ...answer, object, choices: asList(choices).map(streamedChoice) });
    const report = { ...answer, object, choices: [], usage: exact(usage) };
    return `${content}${includeUsage ? event(report) : ''}${END}`;
  },
});

const gatheringOf = (gathering: ReturnType<typeof createGathering>): Gathering => ({
  feed: (piece) => gathering.feed(typeof piece === 'string' ? Buffer.from(piece) : piece),
  answer: () => {
    gathering.close();
    const answer = gathering.answer();
    invariant(answer !== undefined, 'a stream that completed is an answer');
    return answer;
  },
});

const writerOf = ({ chunkObject, delta }: Shape): StreamWriter => {
  const begun = new Set<number>();
  const chunkOf = (frame: Frame, choices: readonly object[]) => ({ ...frameOf(frame, chunkObject), choices });
  const choiceOf = (index: number, pieces: readonly Piece[], finishReason: string | null) => {
    const isFirst = !begun.has(index);
    begun.add(index);
    return { index, ...delta(pieces, isFirst), finish_reason: finishReason };
  };
  return {
    writeDelta: (frame, { wire, parts }) =>
      wire
        ? wire()
        : event(
            chunkOf(
              frame,
              parts.map((part) => ({
                ...choiceOf(part.choice, part.pieces ?? [], part.finishReason),
                ...nativeReason(part),
              })),
            ),
          ),
    writeEnd: (frame, settlement, usageChunk) => {
      if (!settlement) return END;
      const usage = {
        ...usageOf(settlement),
        cost: jsonUsd(settlement.charged),
        cost_usd: formatUsd(settlement.charged),
      };
      const chunk = (usageChunk as object | undefined) ?? chunkOf(frame, []);
      return `${event({ ...chunk, usage })}${END}`;
    },
    // An `error` at the top of a chunk makes the SDKs throw, and their users lose the text that they paid for. So the
    // reason is in our own field, which the SDKs pass on.
    writeCut: (frame, choices, notice) =>
      choices
        .map((index) =>
          event({
            ...chunkOf(frame, [{ index, ...delta([], false), finish_reason: 'length' }]),
            ...(notice ? { kissapi: { generation_id: notice.generationId, error: notice.error } } : {}),
          }),
        )
        .join(''),
    // Only the error, without choices: with choices, clients take the stream for complete.
    writeError: (problem) => `data: ${problem}\n\n`,
  };
};

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
