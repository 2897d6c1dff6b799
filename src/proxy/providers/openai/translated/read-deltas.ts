import { field } from '../../../json/untyped-json.ts';
import type { DeltaPart, Piece } from '../../answer.ts';
import { createInputReader, type InputReader } from '../../custom-tools.ts';
import { choicesOf, idOf, partOf, type Chunk } from '../chunk.ts';
import { finishOf } from './finish-reasons.ts';
import { callsOf, madeId, proseOf, readCall, signatureBefore, type ReadCall } from './read-message.ts';

/** The tool calls of a choice so far. They change in place. */
type Calls = {
  readonly open: OpenCall[];
  /** The call that the next piece continues if it has neither an index nor an id. */
  last: OpenCall | undefined;
};

type OpenCall = {
  readonly place: number;
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly custom: boolean;
  /** Set if the call is of a custom tool that was written as a function. */
  readonly input: InputReader | undefined;
};

/** Reads the choices of each chunk of a stream as pieces. `custom` are the names of tools that were written as functions. */
export const createDeltaReader = (custom: ReadonlySet<string>): ((chunk: Chunk) => readonly DeltaPart[]) => {
  const choices = new Map<number, Calls>();
  let answerId = '';
  const callsIn = (choice: number): Calls => {
    const known = choices.get(choice) ?? { open: [], last: undefined };
    choices.set(choice, known);
    return known;
  };
  const read = (choice: object): DeltaPart => {
    const { finishReason: native, ...part } = partOf(choice);
    const calls = callsIn(part.choice);
    const delta = field(choice, 'delta');
    const pieces = [
      ...proseOf(delta),
      ...callsOf(delta).flatMap((call) => [...signatureBefore(call), ...piecesOfCall(calls, call, custom, answerId)]),
      ...(native === null ? [] : calls.open.flatMap(restOf)),
    ];
    return { ...part, pieces, ...finishOf(native, calls.open.length > 0) };
  };
  return (chunk) => {
    if (answerId === '') answerId = idOf(chunk) ?? '';
    return choicesOf(chunk).map(read);
  };
};

const piecesOfCall = (calls: Calls, call: unknown, custom: ReadonlySet<string>, answerId: string): readonly Piece[] => {
  const read = readCall(call);
  const known = find(calls, read);
  const opened = known ?? open(calls, read, custom);
  calls.last = opened;
  const { place: index, input } = opened;
  const text = input ? input.read(read.text) : read.text;
  const mark = opened.custom ? { custom: true } : {};
  if (!known) {
    const { id = madeId(answerId, index), name = '' } = read;
    return [{ kind: 'tool_call', index, id, name, arguments: text, ...mark }];
  }
  return text === '' ? [] : [{ kind: 'tool_call', index, arguments: text, ...mark }];
};

/** Gemini sends calls without an index, or several under one index, each with its own id. */
const find = ({ open, last }: Calls, { index, id, name }: ReadCall): OpenCall | undefined => {
  if (id !== undefined) {
    const same = open.find((call) => call.id === id);
    if (same || index === undefined) return same;
    return open.findLast((call) => call.index === index && call.id === undefined);
  }
  if (index !== undefined) return open.findLast((call) => call.index === index);
  return name === undefined ? last : undefined;
};

const open = ({ open: all }: Calls, { index, id, name, isCustom }: ReadCall, custom: ReadonlySet<string>): OpenCall => {
  const isWrapped = !isCustom && name !== undefined && custom.has(name);
  const opened: OpenCall = {
    ...{ place: all.length, index, id, custom: isCustom || isWrapped },
    input: isWrapped ? createInputReader() : undefined,
  };
  all.push(opened);
  return opened;
};

/** What is left of the input of a custom tool at the end. */
const restOf = ({ place, input }: OpenCall): readonly Piece[] => {
  const text = input?.end() ?? '';
  return text === '' ? [] : [{ kind: 'tool_call', index: place, arguments: text, custom: true }];
};
