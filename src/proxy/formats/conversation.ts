/** A conversation in no dialect: formats read it from a request, and providers of another dialect write it as theirs. */
export type Conversation = {
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly settings: Settings;
  /**
   * Fields that decide the answer and have no neutral meaning, by their names in the format. A provider must refuse a
   * job with one that it cannot carry over (`Provider.unsupported`), and never drop it.
   */
  readonly others: Readonly<Record<string, unknown>>;
};

export type Message =
  | { readonly role: 'system' | 'developer'; readonly parts: readonly TextPart[] }
  | { readonly role: 'user'; readonly parts: readonly UserPart[] }
  | { readonly role: 'assistant'; readonly parts: readonly AssistantPart[] }
  | ToolResult;

/** What a tool of the customer returned for one call. */
export type ToolResult = {
  readonly role: 'tool';
  /** The id of a tool call in an earlier message of the assistant. */
  readonly callId: string;
  readonly parts: readonly (TextPart | ImagePart)[];
  readonly isError?: boolean | undefined;
} & Cached;

export type UserPart = TextPart | ImagePart;
export type AssistantPart = TextPart | ThinkingPart | RefusalPart | ToolCallPart;

/** Set if the provider is to keep the prompt up to here in its cache, for its ordinary lifetime. */
type Cached = { readonly cached?: boolean | undefined };

export type TextPart = { readonly kind: 'text'; readonly text: string } & Cached;

export type ImagePart = {
  readonly kind: 'image';
  readonly source: ImageSource;
  /** OpenAI's setting for the resolution. */
  readonly detail?: string | undefined;
} & Cached;

export type ImageSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string };

/** Reasoning of the model. A provider reads only reasoning with its own signature, and the others leave it out. */
export type ThinkingPart = {
  readonly kind: 'thinking';
  /** Empty if the provider hides it. */
  readonly text: string;
  /**
   * Must come back unchanged. Google signs the part after its thoughts: such a signature, with an empty text, is about
   * the next part.
   */
  readonly signature?: Signature | undefined;
  /** The signature is all there is: Anthropic's `redacted_thinking`, OpenAI's encrypted reasoning. */
  readonly redacted?: boolean | undefined;
};

export type Signature = { readonly from: 'anthropic' | 'gemini' | 'openai'; readonly value: string };

export type RefusalPart = { readonly kind: 'refusal'; readonly text: string };

export type ToolCallPart = {
  readonly kind: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** JSON text. For a custom tool: the text itself. */
  readonly arguments: string;
  readonly custom?: boolean | undefined;
} & Cached;

export type Tool =
  | ({
      readonly kind: 'function';
      readonly name: string;
      readonly description?: string | undefined;
      /** JSON Schema of the arguments. */
      readonly schema?: Readonly<Record<string, unknown>> | undefined;
      readonly strict?: boolean | undefined;
    } & Cached)
  /** A tool whose input is text. `format` is OpenAI's grammar, if it has one. */
  | {
      readonly kind: 'custom';
      readonly name: string;
      readonly description?: string | undefined;
      readonly format?: unknown;
    };

export type ToolChoice =
  { readonly kind: 'auto' | 'none' | 'required' } | { readonly kind: 'tool'; readonly name: string };

export type Settings = {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly seed?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly output?: OutputFormat | undefined;
  readonly thinking?: ThinkingSetting | undefined;
  /** OpenAI's `low`, `medium` or `high`. */
  readonly verbosity?: string | undefined;
};

export type OutputFormat =
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string;
      readonly description?: string | undefined;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict?: boolean | undefined;
    };

export type ThinkingSetting =
  | { readonly kind: 'off' }
  /** The model decides how much. */
  | { readonly kind: 'adaptive' }
  /** In OpenAI's words: `minimal`, `low`, `medium`, `high`, and further ones of single models. */
  | { readonly kind: 'effort'; readonly effort: string }
  | { readonly kind: 'budget'; readonly tokens: number };
