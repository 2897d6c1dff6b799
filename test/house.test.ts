import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

type Source = { readonly path: string; readonly text: string };
/** An import of a file: a path under src, or a package or builtin by its name. */
type Import = { readonly from: string; readonly typeOnly: boolean } & (
  { readonly path: string } | { readonly package: string }
);

/** Files at the top of src, which introduce the rooms to one another. */
const TOP = 'the top of the house';

type Room = {
  /** Rooms from which it may import values and types, besides itself. */
  readonly mayImport: readonly string[];
  /** Rooms from which it may import types only. */
  readonly mayImportTypes?: readonly string[];
  readonly because: string;
};

const rooms: Readonly<Record<string, Room>> = {
  domain: { mayImport: [], because: 'what is true depends on nothing but itself' },
  eventstore: { mayImport: ['domain'], because: 'the log outlives whoever looks at it' },
  projections: { mayImport: ['domain', 'eventstore'], because: 'neighbours never import each other' },
  reactions: { mayImport: ['domain', 'eventstore'], because: 'neighbours never import each other' },
  proxy: { mayImport: ['domain', 'eventstore'], because: 'neighbours never import each other' },
  mail: { mayImport: ['domain', 'eventstore'], because: 'neighbours never import each other' },
  identity: { mayImport: ['domain', 'eventstore'], because: 'neighbours never import each other' },
  people: {
    mayImport: ['domain', 'eventstore', 'identity', 'mail'],
    mayImportTypes: ['reactions'],
    because: 'what a person does joins events, secrets and mail',
  },
  payments: {
    mayImport: ['domain', 'eventstore', 'mail'],
    mayImportTypes: ['reactions'],
    because: 'what a payment causes joins events of two kinds and mail',
  },
  http: {
    mayImport: ['domain', 'eventstore'],
    mayImportTypes: ['proxy', 'projections', 'reactions', 'identity', 'people', 'payments', 'mail'],
    because: 'neighbours never import values of each other',
  },
  config: {
    mayImport: ['domain'],
    mayImportTypes: ['eventstore', 'proxy', 'mail', 'payments'],
    because: 'the environment is read once, into the values that the rooms take',
  },
  cli: {
    mayImport: [
      'domain',
      'eventstore',
      'projections',
      'reactions',
      'proxy',
      'identity',
      'payments',
      'config',
      'gateway',
    ],
    because: 'a terminal composes the same parts, and serves no HTTP',
  },
  gateway: {
    mayImport: [
      ...['domain', 'eventstore', 'projections', 'reactions', 'proxy', 'mail', 'identity', 'people', 'payments'],
      ...['http', 'config'],
    ],
    because: 'it composes the rooms, and knows every name',
  },
  [TOP]: {
    mayImport: ['domain', 'eventstore', 'config', 'gateway'],
    because: 'the process starts and stops what the gateway composes',
  },
};

/** Where each package lives: folders and files under src. A package that is not here has not been given a home yet. */
const homes: Readonly<Record<string, { readonly in: readonly string[]; readonly because: string }>> = {
  express: { in: ['http/'], because: 'there is one door' },
  rxjs: { in: ['projections/follow.ts'], because: 'there is one pipeline from the log' },
  undici: { in: ['proxy/', 'payments/creem/'], because: 'completions and the payment partner call out' },
  'eventsource-parser': { in: ['proxy/'], because: 'only a completion reads a stream' },
  'gpt-tokenizer': {
    in: ['proxy/metering/token-counter-worker.ts'],
    because: 'to count a prompt takes so long that the thread which serves must not do it',
  },
  pg: {
    in: ['eventstore/', 'reactions/', 'identity/database.ts', 'mail/due-mails.ts', 'payments/kept-deliveries.ts'],
    because: 'bare connections are for appends, for LISTEN, for heartbeats and for small tables',
  },
  'pg-promise': { in: ['projections/', 'reactions/'], because: 'it speaks SQL where rows are kept' },
  '@eventstore/db-client': { in: ['eventstore/eventstoredb/'], because: 'a store is one folder' },
  zod: {
    in: [
      ...[
        'eventstore/',
        'projections/',
        'reactions/',
        'proxy/',
        'mail/',
        'identity/',
        'payments/',
        'http/',
        'cli/',
        'config/',
      ],
    ],
    because: 'bytes become values at the sill, and the domain has none',
  },
  'zod-openapi': { in: ['http/'], because: 'the document describes the door' },
  nodemailer: { in: ['mail/smtp.ts'], because: 'mail has one way out' },
  commander: { in: ['cli/'], because: 'only a terminal has arguments' },
  'cli-progress': { in: ['cli/'], because: 'only a terminal has a progress bar' },
  pino: {
    in: ['main.ts', 'gateway/'],
    because: 'rooms report what happens, and the top of the house logs it',
  },
  'prom-client': { in: ['gateway/metrics.ts'], because: 'rooms count nothing themselves' },
  uuid: { in: ['gateway/new-id.ts'], because: 'randomness arrives as an argument' },
  pdfkit: {
    in: ['payments/receipt/receipt-pdf.ts'],
    because: 'a receipt is the only document; it is kept, works offline, embeds fonts, and gives equal bytes',
  },
  '@simplewebauthn/server': { in: ['identity/passkeys/'], because: 'only a passkey is verified by it' },
  'markdown-it': { in: ['http/documents/markdown.ts'], because: 'only a document is shown as a page' },
  diff: { in: ['http/documents/changes.ts', 'cli/terms/'], because: 'only versions of a document are compared' },
  otplib: { in: ['identity/totp.ts'], because: 'only a second step has codes of a clock' },
  'disposable-email-domains-js': {
    in: ['identity/disposable-domains.ts'],
    because: 'an address is judged in one place',
  },
  '@kissapi/embedded-postgres': {
    in: ['gateway/start/bundled-postgres.ts'],
    because: 'the gateway starts its database',
  },
  '@kissapi/zod-messages': { in: ['http/', 'config/'], because: 'it explains input to the people who wrote it' },
  '@kissapi/creem-stand-in': { in: ['gateway/'], because: 'the gateway starts the stand-in for the payment partner' },
  '@kissapi/simulator': {
    in: ['proxy/providers/simulated/', 'cli/simulate.ts'],
    because: 'it is a provider like any other',
  },
};

const ENVIRONMENT = { in: 'config/config.ts', because: 'the environment has one reader' };

/** Of the catalogue, and others whose dialects the adapters know. */
const providerNames: readonly string[] = [
  ...new Set([
    ...(
      JSON.parse(readFileSync(new URL('../catalogue/models.json', import.meta.url), 'utf8')) as {
        readonly models: readonly { readonly upstream: string }[];
      }
    ).models.map(({ upstream }) => upstream),
    ...['azure', 'bedrock', 'cohere', 'dashscope', 'fireworks', 'minimax', 'moonshot', 'ollama', 'openrouter'],
    ...['perplexity', 'qwen', 'together ai', 'venice', 'vllm', 'zhipu'],
  ]),
];

const roomOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : TOP);
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

/** The module that a node imports or re-exports, and whether only its types are used. */
const importOf = (node: ts.Node): { readonly module: ts.Node | undefined; readonly typeOnly: boolean } => {
  if (ts.isImportDeclaration(node)) {
    const { importClause } = node;
    const names = importClause?.namedBindings;
    const onlyTypes =
      names !== undefined &&
      ts.isNamedImports(names) &&
      importClause?.name === undefined &&
      names.elements.length > 0 &&
      names.elements.every(({ isTypeOnly }) => isTypeOnly);
    const isTypeImport = importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { module: node.moduleSpecifier, typeOnly: isTypeImport || onlyTypes };
  }
  if (ts.isExportDeclaration(node)) return { module: node.moduleSpecifier, typeOnly: node.isTypeOnly };
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return { module: node.argument.literal, typeOnly: true };
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return { module: node.arguments[0], typeOnly: false };
  return { module: undefined, typeOnly: false };
};

const importsOf = ({ path, text }: Source): Import[] => {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const { module, typeOnly } = importOf(node);
    if (module && ts.isStringLiteralLike(module)) {
      const name = module.text;
      const asked = name.startsWith('.') ? { path: join(dirname(path), name) } : { package: name };
      found.push({ from: path, typeOnly, ...asked });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
};

const readsEnvironment = ({ path, text }: Source): boolean => {
  const looksAtIt = (node: ts.Node): boolean => {
    const [object, name] = ts.isPropertyAccessExpression(node)
      ? [node.expression, node.name.text]
      : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
        ? [node.expression, node.argumentExpression.text]
        : [];
    if (name === 'env' && object && ts.isIdentifier(object) && object.text === 'process') return true;
    return ts.forEachChild(node, looksAtIt) ?? false;
  };
  return looksAtIt(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
};

const brokenByRooms = ({ from, typeOnly, ...asked }: Import): string[] => {
  const room = roomOf(from);
  const rule = rooms[room];
  if (!rule) return [`src/${from} is in ${room}, a room that nobody has drawn: give it a rule`];
  if (!('path' in asked)) {
    return room === 'domain' ? [`src/${from} imports ${asked.package}: ${rule.because}`] : [];
  }
  if (asked.path.startsWith('../packages/')) {
    return [`src/${from} imports ${asked.path.slice(3)}: a package is imported by its name`];
  }
  const other = roomOf(asked.path);
  if (other === room || rule.mayImport.includes(other)) return [];
  if (typeOnly && rule.mayImportTypes?.includes(other)) return [];
  return [`src/${from} imports src/${asked.path}: ${room} may not import from ${other}, for ${rule.because}`];
};

const brokenByHomes = ({ from, ...asked }: Import): string[] => {
  if (!('package' in asked) || roomOf(from) === 'domain') return [];
  if (asked.package === 'node:process') {
    return from === ENVIRONMENT.in ? [] : [`src/${from} imports node:process: ${ENVIRONMENT.because}`];
  }
  if (asked.package.startsWith('node:')) return [];
  const name = packageOf(asked.package);
  const home = homes[name];
  if (!home) return [`src/${from} imports ${name}, which has no home yet: give it one`];
  if (home.in.some((place) => (place.endsWith('/') ? from.startsWith(place) : from === place))) return [];
  return [`src/${from} imports ${name}, whose home is ${home.in.join(', ')}: ${home.because}`];
};

/** The log takes its codec as a parameter. Only journal/ knows the events of the domain. */
const brokenByLog = ({ from, ...asked }: Import): string[] => {
  if (!('path' in asked) || !from.startsWith('eventstore/') || from.startsWith('eventstore/journal/')) return [];
  const isOfDomain = asked.path.startsWith('domain/') && asked.path !== 'domain/decider.ts';
  return isOfDomain || asked.path.startsWith('eventstore/journal/')
    ? [`src/${from} imports src/${asked.path}: only eventstore/journal/ knows the events of the domain`]
    : [];
};

const LOG_TABLES =
  /\b(?:from|join|into|update|table) (?:events|log_head|log_checkpoints|log_rewinds|snapshots|data_keys)\b/;

const brokenBySql = ({ path, text }: Source): string[] =>
  !path.startsWith('eventstore/') && LOG_TABLES.test(text)
    ? [`src/${path} has SQL on a table of the log: the store has a method for it`]
    : [];

/** Files that may read real time: of this machine, or of the database. What decides takes the clock of the log instead. */
const readsRealTime: Readonly<Record<string, string>> = {
  'eventstore/postgres/log-clock.ts': 'the clock of the log is real time and what it was moved by',
  'eventstore/integrity/checkpoint-log.ts': 'its SQL adds what the clock of the log was moved by',
  'eventstore/memory/in-memory.ts': 'it is the default of the clock of a log in memory',
  'eventstore/postgres/log-probe.ts': 'it compares the clock of the machine with that of the database',
  'eventstore/postgres/database/migrate.ts': 'operators read when a migration was applied',
  'eventstore/eventstoredb/turns.ts': 'a turn lapses in real time',
  'eventstore/postgres/log-rewinds.ts': 'operators read when a rewind was noticed and acknowledged',
  'gateway/health/event-store.ts': 'it compares the clock of the machine with that of EventStoreDB',
  'gateway/health/rewinds.ts': 'operators read when an event that is lost was acknowledged',
  'reactions/database-clock.ts': 'it reports that the clock of the machine is wrong',
  'reactions/runs/heartbeat.ts': 'whether a run is alive is a matter of real time',
  'reactions/runs/runs.ts': 'whether a run is alive is a matter of real time',
  'cli/stores/event-store.ts': 'it compares the clock of the machine with that of EventStoreDB',
  'cli/stores/migrate-log.ts': 'it compares the clock of the machine with that of EventStoreDB',
  'cli/terminal/live-runs.ts': 'whether a run is alive is a matter of real time',
  'proxy/providers/http/retry-after.ts': "a provider's Retry-After is a real time",
};

/** Calls and values in code, and functions in SQL. `performance.now` measures durations and is allowed everywhere. */
const isRealTime = (node: ts.Node): boolean => {
  if (ts.isNewExpression(node)) {
    return ts.isIdentifier(node.expression) && node.expression.text === 'Date' && (node.arguments ?? []).length === 0;
  }
  if (ts.isCallExpression(node)) return ts.isIdentifier(node.expression) && node.expression.text === 'Date';
  if (ts.isPropertyAccessExpression(node)) {
    return ts.isIdentifier(node.expression) && node.expression.text === 'Date' && node.name.text === 'now';
  }
  return (
    (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) &&
    /\b(?:(?:clock|statement|transaction)_timestamp *\(|now *\( *\)|current_(?:timestamp|date|time)\b)/i.test(node.text)
  );
};

const hasRealTime = ({ path, text }: Source): boolean => {
  const findIn = (node: ts.Node): boolean => isRealTime(node) || (ts.forEachChild(node, findIn) ?? false);
  return findIn(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
};

const brokenByClock = (source: Source): string[] =>
  !(source.path in readsRealTime) && hasRealTime(source)
    ? [`src/${source.path} reads real time: what decides takes the clock of the log as an argument`]
    : [];

const ENGINE = 'proxy/engine/';
/** What the engine may import of formats and of providers. */
const ports = ['proxy/formats/format.ts', 'proxy/providers/provider.ts'];

/** The engine reaches formats and providers by their ports, and names neither an endpoint nor a provider. */
const brokenByEngine = ({ path, text }: Source): string[] => {
  if (!path.startsWith(ENGINE)) return [];
  const beyondPorts = importsOf({ path, text }).flatMap((one) =>
    'path' in one && /^proxy\/(?:formats|providers)\//.test(one.path) && !ports.includes(one.path)
      ? [`src/${path} imports src/${one.path}: the engine knows formats and providers by their ports`]
      : [],
  );
  const endpoint = /['"`]\/[a-z]+(?:\/[a-z]+)*['"`]/.exec(text)?.[0];
  const provider = new RegExp(`\\b(?:${providerNames.join('|')})\\b`, 'i').exec(text)?.[0];
  return [
    ...beyondPorts,
    ...(endpoint === undefined ? [] : [`src/${path} names the endpoint ${endpoint}: a format has it`]),
    ...(provider === undefined ? [] : [`src/${path} names the provider ${provider}: an adapter has it`]),
  ];
};

/** What happens with payments is the same for every partner: only gateway/ chooses one. */
const brokenByPartner = ({ from, ...asked }: Import): string[] =>
  'path' in asked && asked.path.startsWith('payments/creem/') && !/^(?:payments\/creem|gateway)\//.test(from)
    ? [`src/${from} imports src/${asked.path}: a payment partner is known by its port, payments/partner.ts`]
    : [];

/** Each broken rule as a line that can be read by whoever broke it. Paths are under src. */
const brokenRules = (sources: readonly Source[]): readonly string[] =>
  sources.flatMap((source) => [
    ...importsOf(source).flatMap((one) => [
      ...[...brokenByRooms(one), ...brokenByHomes(one), ...brokenByLog(one), ...brokenByPartner(one)],
    ]),
    ...brokenBySql(source),
    ...brokenByClock(source),
    ...brokenByEngine(source),
    ...(source.path !== ENVIRONMENT.in && readsEnvironment(source)
      ? [`src/${source.path} reads process.env: ${ENVIRONMENT.because}, src/${ENVIRONMENT.in}`]
      : []),
  ]);

const sourcesIn = (folder: URL): readonly Source[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .map((path) => ({ path, text: readFileSync(new URL(path, folder), 'utf8') }));

const house = sourcesIn(new URL('../src/', import.meta.url));

/** Paths are under the folder of the package. `declared` are the dependencies in its package.json. */
const brokenByPackage = (name: string, declared: readonly string[], sources: readonly Source[]): readonly string[] =>
  sources.flatMap(importsOf).flatMap(({ from, ...asked }) => {
    const file = `packages/${name}/${from}`;
    if ('path' in asked) {
      return asked.path.startsWith('../') ? [`${file} imports ${asked.path}, which is outside the package`] : [];
    }
    if (asked.package.startsWith('node:') || declared.includes(packageOf(asked.package))) return [];
    return [`${file} imports ${asked.package}, which its package.json does not declare`];
  });

describe('the house', () => {
  it('is as it was drawn', () => expect(brokenRules(house)).toEqual([]));

  it('reads real time in no more files than are listed', () => {
    const reading = house.filter(hasRealTime).map(({ path }) => path);
    expect(reading.toSorted()).toEqual(Object.keys(readsRealTime).toSorted());
  });

  it('was read', () => {
    const imports = house.flatMap(importsOf);
    expect(new Set(house.map(({ path }) => roomOf(path)))).toEqual(new Set(Object.keys(rooms)));
    expect(imports.length).toBeGreaterThan(house.length);
    const files = new Set(house.map(({ path }) => path));
    expect(imports.filter((one) => 'path' in one && !files.has(one.path))).toEqual([]);
  });

  it('has no import cycles in the log, the projections, the reactions, the identity and the domain, types included', () => {
    const imports = Map.groupBy(
      house.flatMap(importsOf).flatMap((one) => ('path' in one ? [one] : [])),
      ({ from }) => from,
    );
    const finished = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (finished.has(file)) return;
      for (const one of imports.get(file) ?? []) visit(one.path, [...path, file]);
      finished.add(file);
    };
    for (const { path } of house) {
      if (['domain', 'eventstore', 'projections', 'reactions', 'identity'].includes(roomOf(path))) visit(path, []);
    }
    expect(cycles).toEqual([]);
  });

  it('has its workers in threads of their own: nobody imports one', () => {
    const workers = house.map(({ path }) => path).filter((path) => /worker\.ts$/.test(path));
    expect(workers).toContain('proxy/metering/token-counter-worker.ts');
    const imported = house.flatMap(importsOf).filter((one) => 'path' in one && workers.includes(one.path));
    expect(imported).toEqual([]);
  });
});

describe('a package', () => {
  const packages = new URL('../packages/', import.meta.url);

  it.each(readdirSync(packages))('%s imports only its own files and declared dependencies', (name) => {
    const folder = new URL(`${name}/`, packages);
    const { dependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const sources = sourcesIn(folder);
    expect(sources.length).toBeGreaterThan(0);
    expect(brokenByPackage(name, Object.keys(dependencies), sources)).toEqual([]);
  });

  it.each([
    [`import { a } from '../../../src/main.ts';`, 'outside the package'],
    [`import { a } from '../../other/src/index.ts';`, 'outside the package'],
    [`import express from 'express';`, 'does not declare'],
  ])('may not contain %s: %s', (text, what) => {
    expect(brokenByPackage('x', ['pg'], [{ path: 'src/a.ts', text }])).toEqual([expect.stringContaining(what)]);
  });

  it('may import its own files, builtins and declared dependencies', () => {
    const text = `import pg from 'pg';\nimport { join } from 'node:path';\nimport { b } from './b.ts';`;
    expect(brokenByPackage('x', ['pg'], [{ path: 'src/a.ts', text }])).toEqual([]);
  });
});

describe('a rule', () => {
  const broken = (path: string, text: string) => brokenRules([{ path, text }]);

  it.each([
    ['domain/money.ts', `import { z } from 'zod';`, 'imports zod: what is true depends on nothing but itself'],
    ['domain/money.ts', `import { hash } from 'node:crypto';`, 'imports node:crypto'],
    ['domain/a/b.ts', `import type { X } from '../../eventstore/codec.ts';`, 'domain may not import from eventstore'],
    ['domain/a/b.ts', `export * from '../../main.ts';`, 'domain may not import from the top of the house'],
    ['eventstore/x.ts', `import { a } from '../projections/rows.ts';`, 'eventstore may not import from projections'],
    ['eventstore/x.ts', `import type { A } from '../domain/account/events.ts';`, 'only eventstore/journal/ knows'],
    ['eventstore/x.ts', `import { journal } from './journal/codec.ts';`, 'only eventstore/journal/ knows'],
    ['projections/x.ts', 'const sql = `select position from events`;', 'SQL on a table of the log'],
    ['projections/x.ts', `import '../http/app.ts';`, 'projections may not import from http'],
    ['http/routes/x.ts', `export { a } from '../../proxy/call.ts';`, 'http may not import from proxy'],
    ['proxy/x.ts', `const a = await import('../reactions/runs.ts');`, 'proxy may not import from reactions'],
    ['reactions/x.ts', `import { a } from '../config/config.ts';`, 'reactions may not import from config'],
    ['cli/x.ts', `import { a } from '../http/app.ts';`, 'cli may not import from http'],
    ['config/x.ts', `import { a } from '../eventstore/x.ts';`, 'config may not import from eventstore'],
    ['config/x.ts', `import { type A, b } from '../eventstore/x.ts';`, 'config may not import from eventstore'],
    ['http/x.ts', `import '../proxy/x.ts';`, 'http may not import from proxy'],
    ['attic/x.ts', `import { a } from './y.ts';`, 'a room that nobody has drawn'],
    ['proxy/x.ts', `import express from 'express';`, 'imports express, whose home is http/: there is one door'],
    ['projections/rows.ts', `import { from } from 'rxjs';`, 'imports rxjs, whose home is projections/follow.ts'],
    ['http/x.ts', `import { map } from 'rxjs/operators';`, 'imports rxjs'],
    ['projections/x.ts', `import pg from 'pg';`, 'imports pg'],
    ['eventstore/x.ts', `import pgPromise from 'pg-promise';`, 'imports pg-promise'],
    ['main.ts', `import { request } from 'undici';`, 'imports undici'],
    ['payments/x.ts', `import { request } from 'undici';`, 'imports undici'],
    ['payments/x.ts', `import { a } from './creem/creem.ts';`, 'known by its port'],
    ['payments/x.ts', `import { a } from '../projections/rows.ts';`, 'payments may not import from projections'],
    [
      'projections/x.ts',
      `import type { A } from '../payments/partner.ts';`,
      'projections may not import from payments',
    ],
    ['identity/x.ts', `import { a } from '../http/auth/api-keys.ts';`, 'identity may not import from http'],
    ['http/x.ts', `import { createIdentity } from '../identity/identity.ts';`, 'http may not import from identity'],
    ['http/x.ts', `import { verifySync } from 'otplib';`, 'imports otplib, whose home is identity/totp.ts'],
    ['proxy/bounds.ts', `import { countTokens } from 'gpt-tokenizer';`, 'imports gpt-tokenizer'],
    ['proxy/x.ts', `import { Counter } from 'prom-client';`, 'imports prom-client'],
    ['proxy/x.ts', `import { left } from 'left-pad';`, 'imports left-pad, which has no home yet'],
    ['gateway/x.ts', `import { a } from '../../packages/simulator/src/index.ts';`, 'a package is imported by its name'],
    ['proxy/x.ts', `const home = process.env['HOME'];`, 'reads process.env'],
    ['proxy/x.ts', `const { HOME } = process['env'];`, 'reads process.env'],
    ['main.ts', `import { env } from 'node:process';`, 'imports node:process'],
    [
      'proxy/engine/x.ts',
      `import { chat } from '../formats/chat/chat.ts';`,
      'the engine knows formats and providers by their',
    ],
    [
      'proxy/engine/x.ts',
      `import type { A } from '../providers/some/wire.ts';`,
      'knows formats and providers by their',
    ],
    ['proxy/engine/x.ts', `const path = '/chat/completions';`, "names the endpoint '/chat/completions'"],
    ['domain/x.ts', 'const at = Date.now();', 'reads real time'],
    ['http/x.ts', 'const at = new Date();', 'reads real time'],
    ['gateway/x.ts', 'const at = new Date;', 'reads real time'],
    ['projections/x.ts', 'const wall = Date.now;', 'reads real time'],
    ['projections/x.ts', 'const sql = `select ${columns}, NOW() - seen_at`;', 'reads real time'],
    ['reactions/x.ts', `const sql = 'select clock_timestamp()';`, 'reads real time'],
    ['proxy/engine/x.ts', `// Groq sends it beside the format.`, 'names the provider Groq'],
  ])('can be broken by %s: %s', (path, text, what) => {
    expect(broken(path, text)).toEqual([expect.stringContaining(what)]);
    expect(broken(path, text)[0]).toContain(`src/${path}`);
  });

  it.each([
    ['domain/account/decide.ts', `import { cost } from '../money.ts';`],
    ['eventstore/journal/x.ts', `import { z } from 'zod';\nimport type { A } from '../../domain/account/events.ts';`],
    ['eventstore/x.ts', `import type { Decider } from '../domain/decider.ts';`],
    ['gateway/gateway.ts', `import { a } from '../http/app.ts';\nimport pino from 'pino';`],
    ['cli/rebuild.ts', `import { a } from '../projections/rebuild.ts';\nimport { b } from '../gateway/demo.ts';`],
    ['http/app.ts', `// As process.env says, import 'rxjs' from '../proxy/call.ts'.\nimport { a } from './b.ts';`],
    ['config/config.ts', `export const a = process.env['A'];`],
    ['proxy/engine/x.ts', `import type { Format } from '../formats/format.ts';\nimport '../providers/provider.ts';`],
    ['config/x.ts', `import type { A } from '../eventstore/x.ts';\nimport { type B } from '../proxy/x.ts';`],
    ['proxy/x.ts', '// Not Date.now().\nconst [at, since] = [new Date(ms), performance.now()];\nclock.now();'],
    ['reactions/runs/heartbeat.ts', 'const sql = `select clock_timestamp()`;'],
    ['http/x.ts', `export type { A } from '../proxy/x.ts';\nexport type B = import('../proxy/y.ts').B;`],
  ])('is kept by %s: %s', (path, text) => expect(broken(path, text)).toEqual([]));
});
