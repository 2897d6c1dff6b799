/** An official client, as a program of a customer uses it. */
export type Client = {
  readonly name: string;
  /** Whether it returns all reasoning, with its signature, in the next request. */
  readonly keepsReasoning?: boolean;
  connect(to: Address): Conversations;
};

export type Address = {
  /** Without a path. */
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
};

/** What was asked. Each returns the text of the last answer, in the pieces in which the client hands it out. */
export type Conversations = {
  ask(question: Question): Promise<readonly string[]>;
  /** Carries out the calls of the tool and sends the results back, until the model answers with text. */
  useTool(question: Question, weather: Weather): Promise<readonly string[]>;
};

export type Question = {
  readonly system: string;
  readonly text: string;
  readonly streamed: boolean;
  /** Asks the model to think, and returns its reasoning with the calls. */
  readonly thinks?: boolean;
};

/** The tool: its arguments as the client hands them out, and its result. */
export type Weather = (input: unknown) => string;

export const weatherTool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' as const } },
    required: ['city' as const],
    additionalProperties: false as const,
  },
};
