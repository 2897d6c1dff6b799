import { hash } from 'node:crypto';
import { fieldTable, type Schema, type Schemas } from './docs-schema.ts';
import { html, Html } from '../router/html.ts';
import type { OpenApiDocument } from './openapi.ts';

type Media = {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
};
type Content = { readonly 'application/json'?: Media };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  /** Empty if the route needs no token. */
  readonly security?: readonly unknown[];
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};
type Named = Operation & {
  readonly id: string;
  readonly title: string;
  readonly method: string;
  readonly path: string;
};

export type Docs = { readonly html: string; readonly contentSecurityPolicy: string };

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8884; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #8884; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; background: #8881; }
td code { overflow-wrap: anywhere; }
`;

/** The document as one page that needs no script and nothing from elsewhere, and reads well in a text browser. */
export const renderDocs = (document: OpenApiDocument): Docs => {
  const { title, description = '' } = document.info;
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Readonly<Record<string, Operation>>).map(([verb, operation]): Named => {
      const method = verb.toUpperCase();
      const id = `${verb}${path.replaceAll(/[^a-z_]+/g, '-').replace(/-$/, '')}`;
      return { ...operation, id, method, path, title: `${method} /api${path}` };
    }),
  );
  // Put in whole: the policy names the hash of every byte between the tags.
  const style = new Html(`<style>${STYLE}</style>`);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${style}
      </head>
      <body>
        <h1>${title}</h1>
        ${description.split('\n\n').map((paragraph) => html`<p>${paragraph}</p> `)}
        <p>For machines: <a href="openapi.json">openapi.json</a>.</p>
        <nav>
          <ul>
            ${operations.map(
              ({ id, title, summary }) =>
                html`<li>
                  <a href="#${id}"><code>${title}</code></a> ${summary}
                </li> `,
            )}
          </ul>
        </nav>
        ${operations.map((operation) => section(operation, schemas))}
      </body>
    </html> `;
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { html: page.text, contentSecurityPolicy: policy.join('; ') };
};

const section = (operation: Named, schemas: Schemas): Html => {
  const { id, title, summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content['application/json'];
  const answers = Object.entries(responses);
  const problems = answers.flatMap(([status, { content }]) =>
    Object.entries(content?.['application/json']?.examples ?? {}).map(([, { value }]) => ({ status, value })),
  );
  return html`<section id="${id}">
    <h2>${summary}</h2>
    <p><code>${title}</code></p>
    ${description === undefined ? '' : html`<p>${description}</p>`}
    <h3>Example</h3>
    <pre>${curl(operation, body)}</pre>
    ${
      parameters.length === 0
        ? ''
        : html`<h3>Parameters</h3>
            ${parameterTable(parameters)}`
    }
    ${
      body?.schema
        ? html`<h3>Body</h3>
            ${fieldTable(body.schema, schemas, true)}`
        : ''
    }
    ${answers.map(([status, { description, content }]) => {
      const { schema, example } = content?.['application/json'] ?? {};
      if (!schema || example === undefined) return '';
      return html`<h3>Answer ${status}</h3>
        <p>${description}</p>
        ${fieldTable(schema, schemas, false)}
        <pre>${JSON.stringify(example, null, 2)}</pre>`;
    })}
    <h3>Errors</h3>
    ${problemTable(problems)}
  </section> `;
};

/** Works when it is pasted into a shell that has the variables which the description names. */
const curl = ({ method, path, operationId, security }: Named, body: Media | undefined): string => {
  const inShell = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
  const lines = [`curl -X ${method} "$KISSAPI_URL/api${inShell}"`];
  if (security?.length !== 0) lines.push('-H "Authorization: Bearer $KISSAPI_ADMIN_TOKEN"');
  // Another key for each route: the same key under one account would mean the same command.
  if (method === 'POST') lines.push(`-H 'Idempotency-Key: ${operationId}-1'`);
  if (body) lines.push(`-H 'content-type: application/json'`, `-d '${quoted(JSON.stringify(body.example))}'`);
  return lines.join(' \\\n  ');
};

/** Within single quotes of a shell. */
const quoted = (text: string): string => text.replaceAll("'", `'\\''`);

const parameterTable = (parameters: readonly Parameter[]): Html =>
  html` <table>
    <thead>
      <tr>
        <th>Name</th>
        <th>In</th>
        <th>Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${parameters.map(
        ({ name, in: where, required = false, schema, description = schema?.description ?? '' }) =>
          html` <tr>
            <td><code>${name}</code></td>
            <td>${where}${required ? ', required' : ''}</td>
            <td>${description}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;

const problemTable = (problems: readonly { readonly status: string; readonly value: unknown }[]): Html =>
  html` <table>
    <thead>
      <tr>
        <th>Status</th>
        <th>Code</th>
        <th>Message</th>
      </tr>
    </thead>
    <tbody>
      ${problems.map(({ status, value }) => {
        const { error } = value as { readonly error: { readonly code: string; readonly message: string } };
        return html` <tr>
          <td>${status}</td>
          <td><code>${error.code}</code></td>
          <td>${error.message}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
