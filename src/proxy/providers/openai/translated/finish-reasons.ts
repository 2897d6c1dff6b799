/** The names of finish reasons at servers with OpenAI's wire format, by the neutral one. */
const names: Readonly<Record<string, readonly string[]>> = {
  stop: ['stop', 'eos', 'eos_token', 'end_turn', 'stop_sequence', 'complete', 'completed'],
  length: ['length', 'max_tokens', 'model_length', 'max_output_tokens', 'model_context_window_exceeded'],
  tool_calls: ['tool_calls', 'function_call', 'tool_use', 'tool_call'],
  content_filter: ['content_filter', 'safety', 'recitation', 'refusal', 'sensitive', 'blocklist', 'prohibited_content'],
};

const reasons = new Map(Object.entries(names).flatMap(([reason, all]) => all.map((name) => [name, reason] as const)));

/** A finish reason in OpenAI's words, and the server's own if it differs. Some servers end a turn of tool calls with `stop`. */
export const finishOf = (
  native: string | null,
  hasCalls: boolean,
): { readonly finishReason: string | null; readonly nativeFinishReason?: string } => {
  if (native === null) return { finishReason: null };
  const known = reasons.get(native.toLowerCase()) ?? 'stop';
  const finishReason = known === 'stop' && hasCalls ? 'tool_calls' : known;
  return finishReason === native ? { finishReason } : { finishReason, nativeFinishReason: native };
};
