import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { problemTable } from '../src/http/server/problems/problem-table.ts';
import type { ProblemEntry } from '../src/http/server/problems/problem-entries.ts';

const PAGE = new URL('../docs/errors.md', import.meta.url);

const INTRODUCTION = `# Errors

<!-- Made from src/http/server/problems/problem-table.ts by \`npm run errors\`. Do not edit. -->

Every error has the shape that OpenAI's clients read:

\`\`\`json
{ "error": { "message": "…", "type": "…", "param": null, "code": "…", "request_id": "req_…" } }
\`\`\`

- \`message\` is what is wrong and what to do, often with the figures of the case. Do not match it: use \`code\`.
- A message that asks you to contact support also names the address and the page: \`Contact support: support@example.com or https://api.example.com/contact.\`
- \`param\` is the invalid field, or null.
- \`generation_id\` and \`cost_usd\` are present if the error concerns a generation. Its receipt is at \`GET /v1/generation?id=\`.
- The header \`x-should-retry\` is \`true\` if the same request may be sent again unchanged, and \`retry-after\` is the delay in seconds. "Retry" below
  is the usual value; \`upstream_error\` and \`upstream_timeout\` may be retried if the provider certainly has not charged, and \`rate_limit_exceeded\`
  may not if the request alone exceeds the limit.
`;

const row = ([name, entry]: readonly [string, ProblemEntry]): string => {
  const { code = name, status, type, meaning, action, shouldRetry } = entry;
  return `| \`${code}\` | ${status} | \`${type}\` | ${shouldRetry ? 'yes' : 'no'} | ${meaning} | ${action} |`;
};

/** The text of docs/errors.md: all codes by status. */
export const errorsPage = async (): Promise<string> => {
  const entries = Object.entries<ProblemEntry>(problemTable).toSorted(
    ([name, a], [other, b]) => a.status - b.status || (a.code ?? name).localeCompare(b.code ?? other, 'en'),
  );
  const head = '| Code | Status | Type | Retry | Meaning | What to do |\n| --- | --- | --- | --- | --- | --- |';
  const page = `${INTRODUCTION}\n${head}\n${entries.map(row).join('\n')}\n`;
  return format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE.pathname });
};

if (import.meta.main) await writeFile(PAGE, await errorsPage());
