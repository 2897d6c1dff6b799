export type Welcome = {
  readonly port: number;
  readonly dataDir: string;
  readonly apiKey: string | undefined;
  readonly newAdminToken: string | undefined;
};

/** What a newcomer needs next, each thing to paste alone on its line. */
export const welcome = ({ port, dataDir, apiKey, newAdminToken }: Welcome): string => {
  const url = `http://localhost:${port}`;
  const lines = [`KissAPI is open at ${url}`, ''];
  if (apiKey !== undefined) {
    lines.push(
      'A demo account is ready. Point any OpenAI client at it:',
      '',
      `export OPENAI_BASE_URL=${url}/v1`,
      `export OPENAI_API_KEY=${apiKey}`,
      '',
      'Then, for example (the simulated model needs no provider):',
      '',
      `curl ${url}/v1/chat/completions -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" ` +
        `-d '{"model":"simulated-chat","messages":[{"role":"user","content":"Hello"}]}'`,
      '',
    );
  }
  if (newAdminToken !== undefined) {
    lines.push(
      `The admin token of the management API, shown this once (it is kept in ${dataDir}/admin-token):`,
      '',
      `export KISSAPI_ADMIN_TOKEN=${newAdminToken}`,
      '',
    );
  }
  lines.push(`The management API is described at ${url}/api/docs`, '');
  return `${lines.join('\n')}\n`;
};
