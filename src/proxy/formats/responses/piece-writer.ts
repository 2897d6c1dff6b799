import type { Piece } from '../../providers/answer.ts';
import {
  callItem,
  contentPart,
  messageItem,
  reasoningItem,
  summaryPart,
  withArguments,
  type OutputItem,
  type ToolNames,
} from './output-items.ts';
import { encryptedContent } from './reasoning.ts';
import { addArguments, addItem, closeItem, continuePart, type OpenItem } from './stream-events.ts';
import type { StreamState } from './stream-state.ts';

type PieceOf<Kind extends Piece['kind']> = Extract<Piece, { readonly kind: Kind }>;

/** Writes the pieces of an answer as items of a stream. */
export type PieceWriter = {
  write(piece: Piece): string;
  /** Ends all items that are not complete. */
  close(status: 'completed' | 'incomplete'): string;
};

export const createPieceWriter = (state: StreamState, base: string, names: ToolNames): PieceWriter => {
  /** Calls that are not complete, by their indexes, and the arguments of each so far. */
  const calls = new Map<number, { readonly open: OpenItem; text: string }>();

  const open = (item: OutputItem): { readonly opened: OpenItem; readonly event: string } => {
    const opened: OpenItem = { index: state.items.length, item, part: undefined };
    state.items.push(item);
    state.open.set(opened.index, opened);
    return { opened, event: addItem(state, opened) };
  };
  const closeAll = (status: 'completed' | 'incomplete'): string => {
    for (const {
      open: { item },
      text,
    } of calls.values()) {
      if (item.type === 'tool_search_call') withArguments(item, text);
    }
    const events = [...state.open.values()].map((one) => closeItem(state, one, status));
    calls.clear();
    state.open.clear();
    return events.join('');
  };
  /** The item of this type that is not complete, or a new one after the others are. */
  const continued = (type: 'message' | 'reasoning') => {
    const [current] = state.open.values();
    if (current?.item.type === type) return { opened: current, event: '' };
    const closed = closeAll('completed');
    const item = (type === 'message' ? messageItem : reasoningItem)(base, state.items.length);
    const { opened, event } = open(item);
    return { opened, event: closed + event };
  };

  const writeText = ({ kind, text }: PieceOf<'text' | 'refusal'>): string => {
    if (text === '') return '';
    const { opened, event } = continued('message');
    return event + continuePart(state, opened, contentPart(kind, ''), text);
  };
  /** A signature ends the reasoning that it is about. */
  const writeThinking = ({ text, signature, redacted }: PieceOf<'thinking'>): string => {
    if (text === '' && !signature) return '';
    const { opened, event } = continued('reasoning');
    const written = text === '' ? event : event + continuePart(state, opened, summaryPart(''), text);
    if (!signature) return written;
    opened.item['encrypted_content'] = encryptedContent(signature, redacted);
    return written + closeAll('completed');
  };
  const writeCall = (piece: PieceOf<'tool_call'>): string => {
    const { index, id = `call_${base}_${index}`, name = '', arguments: text = '' } = piece;
    const known = calls.get(index);
    let events = '';
    let call = known;
    if (!call) {
      if (calls.size === 0) events += closeAll('completed');
      const custom = piece.custom === true ? { custom: true } : {};
      const { opened, event } = open(callItem(base, state.items.length, { id, name, ...custom }, names));
      events += event;
      calls.set(index, (call = { open: opened, text: '' }));
    }
    call.text += text;
    if (call.open.item.type !== 'tool_search_call') withArguments(call.open.item, text);
    return events + addArguments(state, call.open, text);
  };

  return {
    write: (piece) => {
      switch (piece.kind) {
        case 'text':
        case 'refusal':
          return writeText(piece);
        case 'thinking':
          return writeThinking(piece);
        case 'tool_call':
          return writeCall(piece);
      }
    },
    close: closeAll,
  };
};
