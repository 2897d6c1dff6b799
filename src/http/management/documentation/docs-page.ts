import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RequestHandler, Router } from 'express';

/**
 * Scripts, styles, pictures and requests of this origin only. Swagger UI needs neither inline scripts nor inline styles;
 * the icons in its style sheet are data URLs.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>KissAPI management API</title>
    <link rel="icon" href="docs/favicon-32x32.png" />
    <link rel="stylesheet" href="docs/swagger-ui.css" />
  </head>
  <body>
    <main id="docs"></main>
    <noscript>This page needs JavaScript. The same in OpenAPI: <a href="openapi.json">openapi.json</a>.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

/** Without `validatorUrl: null` the page offers to send the document to an external validator. */
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;

const ASSETS = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'];
const ASSET_FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const sendText =
  (type: string, text: string): RequestHandler =>
  (_request, response) =>
    void response.set('content-security-policy', CONTENT_SECURITY_POLICY).type(type).send(text);

/** Serves the documentation at /docs: Swagger UI from node_modules, over the OpenAPI document at /openapi.json. */
export const serveDocs = (router: Router): void => {
  router.get('/docs', sendText('html', PAGE));
  router.get('/docs/start.js', sendText('js', START));
  for (const name of ASSETS) {
    // Revalidated by its ETag: a new release may bring another version under the same name.
    router.get(`/docs/${name}`, (_request, response) => {
      response.sendFile(join(ASSET_FOLDER, name), { headers: { 'cache-control': 'no-cache' }, cacheControl: false });
    });
  }
};
