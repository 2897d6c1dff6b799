/** Anthropic's stop reasons in OpenAI's words. */
const finishReasons: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** An unknown reason, which Anthropic may add later, counts as an ordinary end. */
export const finishReasonOf = (stopReason: string): string =>
  Object.hasOwn(finishReasons, stopReason) ? (finishReasons[stopReason] ?? 'stop') : 'stop';

const stopReasons: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

/**
 * A finish reason in Anthropic's words. Clients run tools only after `tool_use`, and some providers finish tool calls with
 * `stop`.
 */
export const stopReasonOf = (finishReason: string | null, hasToolCalls: boolean): string => {
  const known =
    finishReason !== null && Object.hasOwn(stopReasons, finishReason) ? stopReasons[finishReason] : undefined;
  const reason = known ?? 'end_turn';
  return reason === 'end_turn' && hasToolCalls ? 'tool_use' : reason;
};
