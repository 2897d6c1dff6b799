import type { Piece } from '../../../providers/answer.ts';
import {
  callItem,
  contentPart,
  messageItem,
  reasoningItem,
  summaryPart,
  withArguments,
  type OutputItem,
  type ToolNames,
} from '../output-items.ts';
import { encryptedContent } from '../reasoning.ts';
import { addArguments, addItem, closeItem, continuePart, type OpenItem } from './stream-events.ts';
import type { StreamState } from './stream-state.ts';

type PieceOf<Kind extends Piece['kind']> = Extract<Piece, { readonly kind: Kind }>;

/** Writes the pieces of an answer as items of a stream. */
export type PieceWriter = {
  write(piece: Piece): string;
  /** Ends all items that are not complete. */
  close(status: 'completed' | 'incomplete'): string;
};

/** It changes in place. */
type Writing = {
  readonly state: StreamState;
  readonly base: string;
  readonly names: ToolNames;
  /** Calls that are not complete, by their indexes, and the arguments of each so far. */
  readonly calls: Map<number, OpenCall>;
};

type OpenCall = { readonly open: OpenItem; text: string };

export const createPieceWriter = (state: StreamState, base: string, names: ToolNames): PieceWriter => {
  const writing: Writing = { state, base, names, calls: new Map() };
  return {
    write: (piece) => {
      switch (piece.kind) {
        case 'text':
        case 'refusal':
          return writeText(writing, piece);
        case 'thinking':
          return writeThinking(writing, piece);
        case 'tool_call':
          return writeCall(writing, piece);
      }
    },
    close: (status) => closeAll(writing, status),
  };
};

type Opened = { readonly opened: OpenItem; readonly event: string };

const open = ({ state }: Writing, item: OutputItem): Opened => {
  const opened: OpenItem = { index: state.items.length, item, part: undefined };
  state.items.push(item);
  state.open.set(opened.index, opened);
  return { opened, event: addItem(state, opened) };
};

const closeAll = ({ state, calls }: Writing, status: 'completed' | 'incomplete'): string => {
  for (const { open: one, text } of calls.values()) {
    if (one.item.type === 'tool_search_call') withArguments(one.item, text);
  }
  const events = [...state.open.values()].map((one) => closeItem(state, one, status));
  calls.clear();
  state.open.clear();
  return events.join('');
};

/** The item of this type that is not complete, or a new one after the others are. */
const continued = (writing: Writing, type: 'message' | 'reasoning'): Opened => {
  const { state, base } = writing;
  const [current] = state.open.values();
  if (current?.item.type === type) return { opened: current, event: '' };
  const closed = closeAll(writing, 'completed');
  const item = (type === 'message' ? messageItem : reasoningItem)(base, state.items.length);
  const { opened, event } = open(writing, item);
  return { opened, event: closed + event };
};

const writeText = (writing: Writing, { kind, text }: PieceOf<'text' | 'refusal'>): string => {
  if (text === '') return '';
  const { opened, event } = continued(writing, 'message');
  return event + continuePart(writing.state, opened, contentPart(kind, ''), text);
};

/** A signature ends the reasoning that it is about. */
const writeThinking = (writing: Writing, { text, signature, redacted }: PieceOf<'thinking'>): string => {
  if (text === '' && !signature) return '';
  const { opened, event } = continued(writing, 'reasoning');
  const written = text === '' ? event : event + continuePart(writing.state, opened, summaryPart(''), text);
  if (!signature) return written;
  opened.item['encrypted_content'] = encryptedContent(signature, redacted);
  return written + closeAll(writing, 'completed');
};

/** Parallel calls may take turns, so all of them stay open until something else follows. */
const writeCall = (writing: Writing, piece: PieceOf<'tool_call'>): string => {
  const { state, calls } = writing;
  const { index, arguments: text = '' } = piece;
  const known = calls.get(index);
  const { call, event } = known ? { call: known, event: '' } : openCall(writing, piece);
  call.text += text;
  if (call.open.item.type !== 'tool_search_call') withArguments(call.open.item, text);
  return event + addArguments(state, call.open, text);
};

const openCall = (writing: Writing, { index, id, name = '', custom }: PieceOf<'tool_call'>) => {
  const { state, base, names, calls } = writing;
  const closed = calls.size === 0 ? closeAll(writing, 'completed') : '';
  const called = { id: id ?? `call_${base}_${index}`, name, ...(custom === true ? { custom } : {}) };
  const { opened, event } = open(writing, callItem(base, state.items.length, called, names));
  const call: OpenCall = { open: opened, text: '' };
  calls.set(index, call);
  return { call, event: closed + event };
};
