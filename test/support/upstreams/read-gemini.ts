import type {
  AssistantPart,
  ImagePart,
  Message,
  Settings,
  TextPart,
  Tool,
  ToolResult,
} from '../../../src/proxy/formats/conversation.ts';
import { BadBody, check, checkFields, list, object, type Asked, type Json } from './turn.ts';

const topFields = [
  ...['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings'],
  ...['cachedContent', 'serviceTier', 'store', 'labels'],
];

/** Reads a request of Google's wire format, and refuses what Google refuses. */
export const readGemini = (body: unknown, path: string): Asked => {
  const fields = object(body);
  checkFields(fields, topFields, 'request');
  const [, model = '', method = '', sse] = /\/models\/([^:]+):(\w+)(\?alt=sse)?$/.exec(path) ?? [];
  const streamed = method === 'streamGenerateContent';
  check(streamed ? sse !== undefined : method === 'generateContent', `no such method: ${path}`);
  const contents = list(fields['contents']);
  check(contents.length > 0, '* GenerateContentRequest.contents: contents is not specified');
  checkResults(contents);
  if (!model.startsWith('gemini-2.')) checkSignatures(contents);
  const system = list(object(fields['systemInstruction'])['parts']).map(textPart);
  const config = object(fields['generationConfig']);
  const limit = config['maxOutputTokens'];
  return {
    ...{ model: decodeURIComponent(model), streamed },
    maxOutputTokens: typeof limit === 'number' ? limit : undefined,
    messages: [
      ...(system.length > 0 ? [{ role: 'system' as const, parts: system }] : []),
      ...contents.flatMap(messagesOf),
    ],
    tools: list(fields['tools']).flatMap(({ functionDeclarations }) => list(functionDeclarations).map(toolOf)),
    settings: settingsOf(config, object(fields['toolConfig'])),
    others: {},
  };
};

/** Each function call is followed by its results, all in one content. */
const checkResults = (contents: readonly Json[]): void => {
  for (const [index, content] of contents.entries()) {
    const calls = list(content['parts']).filter((part) => 'functionCall' in part);
    if (calls.length === 0) continue;
    const results = list(contents[index + 1]?.['parts']).filter((part) => 'functionResponse' in part);
    check(
      results.length === calls.length,
      'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
    );
    const names = (parts: readonly Json[], name: string): unknown[] =>
      parts.map((part) => object(part[name])['name']).sort();
    check(
      JSON.stringify(names(calls, 'functionCall')) === JSON.stringify(names(results, 'functionResponse')),
      'function responses must have the names of their calls',
    );
  }
};

const isUserText = ({ role, parts }: Json): boolean =>
  role === 'user' && list(parts).some((part) => 'text' in part && !('functionResponse' in part));

/** The first call of each step of the current turn is signed. */
const checkSignatures = (contents: readonly Json[]): void => {
  for (const { role, parts } of contents.slice(contents.findLastIndex(isUserText) + 1)) {
    const call = list(parts).find((part) => 'functionCall' in part);
    if (role !== 'model' || !call) continue;
    check(
      typeof call['thoughtSignature'] === 'string',
      `Function call is missing a thought_signature in functionCall parts: ${String(object(call['functionCall'])['name'])}`,
    );
  }
};

const PLACEHOLDER = 'skip_thought_signature_validator';

const messagesOf = ({ role, parts }: Json): readonly Message[] => {
  if (role === 'model') return [{ role: 'assistant', parts: list(parts).flatMap(modelPart) }];
  check(role === 'user', `Please use a valid role: user, model. Not ${String(role)}.`);
  const results = list(parts).filter((part) => 'functionResponse' in part);
  const others = list(parts).filter((part) => !('functionResponse' in part));
  return [
    ...results.map(resultOf),
    ...(others.length > 0 ? [{ role: 'user' as const, parts: others.map(userPart) }] : []),
  ];
};

const textPart = (part: Json): TextPart => {
  checkFields(part, ['text', 'thought', 'thoughtSignature'], 'parts');
  return { kind: 'text', text: String(part['text']) };
};

const userPart = (part: Json): TextPart | ImagePart => {
  const [inline, file] = [object(part['inlineData']), object(part['fileData'])];
  if ('inlineData' in part) {
    return {
      kind: 'image',
      source: { kind: 'base64', mediaType: String(inline['mimeType']), data: String(inline['data']) },
    };
  }
  if ('fileData' in part) return { kind: 'image', source: { kind: 'url', url: String(file['fileUri']) } };
  return textPart(part);
};

const modelPart = (part: Json): readonly AssistantPart[] => {
  const value = part['thoughtSignature'];
  const signature = { signature: { from: 'gemini' as const, value: String(value) } };
  const isSigned = typeof value === 'string' && value !== PLACEHOLDER;
  if (part['thought'] === true) {
    return [{ kind: 'thinking', text: String(part['text']), ...(isSigned ? signature : {}) }];
  }
  const about: readonly AssistantPart[] = isSigned ? [{ kind: 'thinking', text: '', ...signature }] : [];
  if (!('functionCall' in part)) return part['text'] === '' ? about : [...about, textPart(part)];
  const { id, name, args } = object(part['functionCall']);
  check(typeof args === 'object' && args !== null && !Array.isArray(args), 'args must be a Struct');
  return [...about, { kind: 'tool_call', id: String(id), name: String(name), arguments: JSON.stringify(args) }];
};

const resultOf = (part: Json): ToolResult => {
  const { id, response, parts } = object(part['functionResponse']);
  const { output, error } = object(response);
  const text = output ?? error;
  if (typeof text !== 'string') throw new BadBody('a function response must have an output or an error');
  return {
    ...{ role: 'tool', callId: String(id) },
    parts: [{ kind: 'text', text }, ...list(parts).map(userPart)],
    ...(error === undefined ? {} : { isError: true }),
  };
};

const toolOf = (declaration: Json): Tool => {
  checkFields(declaration, ['name', 'description', 'parameters', 'parametersJsonSchema'], 'functionDeclarations');
  const { name, description, parametersJsonSchema: schema } = declaration;
  return {
    ...{ kind: 'function', name: String(name) },
    ...(typeof description === 'string' ? { description } : {}),
    ...(schema === undefined ? {} : { schema: object(schema) }),
  };
};

const configFields = [
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'frequencyPenalty', 'presencePenalty', 'seed', 'stopSequences'],
  ...['responseMimeType', 'responseJsonSchema', 'thinkingConfig', 'mediaResolution', 'candidateCount'],
];

const settingsOf = (config: Json, { functionCallingConfig: calling }: Json): Settings => {
  checkFields(config, configFields, 'generation_config');
  const {
    temperature,
    topP,
    topK,
    frequencyPenalty,
    presencePenalty,
    seed,
    stopSequences: stop,
  } = config as Settings & {
    readonly stopSequences?: readonly string[];
  };
  const schema = config['responseJsonSchema'];
  return {
    ...{ temperature, topP, topK, frequencyPenalty, presencePenalty, seed, stop },
    toolChoice: choiceOf(object(calling)),
    output: schema
      ? { kind: 'schema', name: 'answer', schema: object(schema) }
      : config['responseMimeType'] === 'application/json'
        ? { kind: 'json' }
        : undefined,
    thinking: thinkingOf(config['thinkingConfig']),
  };
};

const choiceOf = ({ mode, allowedFunctionNames: names }: Json): Settings['toolChoice'] => {
  if (mode === undefined || mode === 'AUTO' || mode === 'VALIDATED') return undefined;
  if (mode === 'NONE') return { kind: 'none' };
  return Array.isArray(names) ? { kind: 'tool', name: String(names[0]) } : { kind: 'required' };
};

const thinkingOf = (given: unknown): Settings['thinking'] => {
  if (given === undefined) return undefined;
  const config = object(given);
  checkFields(config, ['includeThoughts', 'thinkingBudget', 'thinkingLevel'], 'thinking_config');
  const { thinkingBudget: tokens, thinkingLevel: level } = config;
  check(
    tokens === undefined || level === undefined,
    'You can only set only one of thinking budget and thinking level.',
  );
  if (tokens === 0) return { kind: 'off' };
  if (typeof tokens === 'number' && tokens > 0) return { kind: 'budget', tokens };
  return typeof level === 'string' ? { kind: 'effort', effort: level.toLowerCase() } : { kind: 'adaptive' };
};
