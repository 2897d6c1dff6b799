import { resolve } from 'node:path';
import ts from 'typescript';

const types = `
import type Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';

// Further fields are allowed. The client computes \`output_text\`; the API does not have it.
type Wire<T> = T extends string
  ? T
  : T extends readonly (infer Item)[]
  ? Wire<Item>[]
  : T extends object
    ? { [Name in keyof T as Exclude<Name, 'output_text'>]: Wire<T[Name]> } & { [further: string]: unknown }
    : T;
type ChatCompletion = Wire<OpenAI.ChatCompletion>;
type ChatCompletionChunk = Wire<OpenAI.ChatCompletionChunk>;
type Model = Wire<OpenAI.Model>;
type OpenAiError = Wire<{ error: OpenAI.ErrorObject }>;
type Response = Wire<OpenAI.Responses.Response>;
type ResponseStreamEvent = Wire<OpenAI.Responses.ResponseStreamEvent>;
type Message = Wire<Anthropic.Message>;
type RawMessageStreamEvent = Wire<Anthropic.RawMessageStreamEvent>;
type ErrorResponse = Wire<Anthropic.ErrorResponse>;

`;

export type Recorded = {
  readonly type:
    | 'ChatCompletion'
    | 'ChatCompletionChunk'
    | 'Response'
    | 'ResponseStreamEvent'
    | 'Message'
    | 'RawMessageStreamEvent'
    | 'Model'
    | 'OpenAiError'
    | 'ErrorResponse';
  readonly value: unknown;
};

const options: ts.CompilerOptions = {
  ...{ target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.NodeNext, types: ['node'] },
  ...{ strict: true, noEmit: true, skipLibCheck: true },
};

// Files of libraries are parsed once.
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler reports if each value is assigned to its type of the installed clients. */
export const typeErrors = (recorded: readonly Recorded[]): readonly string[] => {
  const path = resolve('test/journeys/clients/recorded.ts');
  const calls = recorded.map(({ type, value }) => `(${JSON.stringify(value)}) satisfies ${type};\n`);
  const text = types + calls.join('');
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    if (name === path) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2024);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest));
    return parsed.get(name);
  };
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0 }) => {
    const line = text.slice(text.lastIndexOf('\n', start) + 1, text.indexOf('\n', start));
    return `${ts.flattenDiagnosticMessageText(messageText, '\n')}\nin ${line}`;
  });
};
