import { Command, InvalidArgumentError } from 'commander';
import { createSimulatedServer } from '@kissapi/simulator';
import { withoutSecrets } from './terminal/redact.ts';

const wholeUpTo =
  (max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
  };

const program = new Command('simulate')
  .description(
    'Serve the simulated provider over HTTP, for development, benchmarks and tests.\n' +
      'It speaks the OpenAI wire format, answers any model name with made-up words, and charges nobody.',
  )
  .option('-p, --port <port>', 'port to listen on; 0 picks a free one', wholeUpTo(65_535), 9090)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--grace-ms <ms>', 'how long open answers may still run after SIGTERM', wholeUpTo(600_000), 5_000)
  .addHelpText(
    'after',
    `
Endpoints: POST /v1/chat/completions, /v1/completions, /v1/embeddings; GET /v1/models.

The field "simulate" of a request body makes the answer slow, wrong or broken:
  timing    firstByteMs, tokenMs, comments
  content   outputTokens, text, echo
  usage     promptTokens, cachedTokens, cacheWriteTokens, reasoningTokens, usage (an object, or "missing")
  errors    status with message and retryAfter (seconds), errorMidStream (after n tokens)
  breaks    breakAfter (n tokens), resetBeforeHead, hang ("beforeHead" or "midStream"), done (false: no [DONE])
  framing   chunkBytes

Example:
  $ npm run simulate -- --port 9090
  $ curl http://127.0.0.1:9090/v1/chat/completions -H 'content-type: application/json' \\
      -d '{"model":"simulated-small","messages":[{"role":"user","content":"Hi"}],"stream":true,"simulate":{"tokenMs":50}}'`,
  )
  .configureOutput(withoutSecrets)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const { port, host, graceMs } = program.opts<{ port: number; host: string; graceMs: number }>();

const server = await createSimulatedServer({ port, host }).catch((error: unknown) =>
  program.error(`Cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`),
);
console.log(`Simulated provider at ${server.url}`);

// Once: a second signal takes the default way out.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close(graceMs));
