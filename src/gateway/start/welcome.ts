import { movedInWords, type ClockReading } from '../../eventstore/postgres/log-clock.ts';

export type Welcome = {
  /** The address of the gateway, without a trailing slash. */
  readonly url: string;
  readonly dataDir: string;
  readonly clock: ClockReading;
  readonly apiKey: string | undefined;
  readonly newAdminToken: string | undefined;
  readonly simulatedPayments: string | undefined;
};

/** The message printed after the start. Values to copy have their own lines. */
export const welcome = ({ url, dataDir, clock, apiKey, newAdminToken, simulatedPayments }: Welcome): string => {
  const lines = [`KissAPI is open at ${url}`, ''];
  if (clock.movedMs !== undefined) {
    lines.push(`Time is simulated: ${movedInWords(clock.movedMs)}, at ${clock.now.toISOString()}.`, '');
  }
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
      `The admin token of the management API, printed only once (it is stored in ${dataDir}/admin-token):`,
      '',
      `export KISSAPI_ADMIN_TOKEN=${newAdminToken}`,
      '',
    );
  }
  if (simulatedPayments !== undefined) {
    lines.push(`Payments are simulated, and no money moves. The page of the payment partner: ${simulatedPayments}`, '');
  }
  lines.push(`Documentation of the management API: ${url}/api/docs`, '');
  return `${lines.join('\n')}\n`;
};
