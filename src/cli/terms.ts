import type { TermsDocument } from '../domain/terms/events.ts';
import { moment, oneLine } from './terminal/arguments.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, runOnDatabase, type ExitCode } from './terminal/run.ts';
import { documentNamed, versionNamed } from './terms/documents.ts';
import { listTerms } from './terms/list.ts';
import { publishTerms, type PublishOptions } from './terms/publish.ts';
import { diffTerms, showTerms } from './terms/show.ts';
import { withdrawTerms } from './terms/withdraw.ts';

const DOCUMENT = ['--document <name>', 'terms, acceptable-use or privacy', documentNamed, 'terms' as const] as const;

let chosen: (database: OpenDatabase) => Promise<ExitCode> = () => Promise.resolve(2);

const program = createProgram(
  'terms',
  'List, show, compare, publish and withdraw versions of the terms, the acceptable-use policy and the privacy page.',
)
  .usage('<command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run terms -- list
  $ npm run terms -- show
  $ npm run terms -- show 2026-12-20 --document privacy
  $ npm run terms -- diff 2026-12-20
  $ npm run terms -- publish our-terms.md --version 2026-12-20 --summary "Refunds are described in more detail."
  $ npm run terms -- publish our-terms.md --version 2026-12-20 --summary "Prices change with 30 days' notice." --significant
  $ npm run terms -- withdraw 2026-12-20 --reason "A mistake in clause 5"
${EXIT_CODES}`,
  )
  .allowExcessArguments(false);

program
  .command('list')
  .description('Every version: in force, upcoming, past and withdrawn.')
  .usage('[options]')
  .option('--document <name>', 'only this one: terms, acceptable-use or privacy', documentNamed)
  .allowExcessArguments(false)
  .action(({ document }: { readonly document?: TermsDocument }) => {
    chosen = (database) => listTerms(database, document);
  });

program
  .command('show')
  .description('The text of a version; by default of the version in force.')
  .usage('[version] [options]')
  .argument('[version]', 'such as 2026-12-20', versionNamed)
  .option(...DOCUMENT)
  .allowExcessArguments(false)
  .action((version: string | undefined, { document }: { readonly document: TermsDocument }) => {
    chosen = (database) => showTerms(database, { document, version });
  });

program
  .command('diff')
  .description('The differences between a version and the one before it; by default of the newest version.')
  .usage('[version] [options]')
  .argument('[version]', 'such as 2026-12-20', versionNamed)
  .option(...DOCUMENT)
  .option('--from <version>', 'compare with this version', versionNamed)
  .allowExcessArguments(false)
  .action((version: string | undefined, options: { readonly document: TermsDocument; readonly from?: string }) => {
    chosen = (database) => diffTerms(database, { document: options.document, version, from: options.from });
  });

program
  .command('publish')
  .summary('Announce a new version, which takes effect later.')
  .description(
    'Announce a new version. It takes effect in 2 minutes; if it is significant, in 14 days and 5 minutes, and the owners of ' +
      'every open account are notified by mail. The command shows what will happen and asks for a confirmation. The text ' +
      'never changes under its version; until a minute before its effect the version can be withdrawn.',
  )
  .usage('<file> --version <version> --summary <text> [options]')
  .argument('<file>', 'the text, in Markdown and UTF-8')
  .option(...DOCUMENT)
  .requiredOption('--version <version>', 'a date; 2026-12-20.2 for a second one of that day', versionNamed)
  .requiredOption('--summary <text>', 'what changes, for customers; stored permanently in the log', oneLine)
  .option('--significant', 'a change that customers must be notified of', false)
  .option('--at <time>', 'when it takes effect (ISO 8601 with a zone)', moment)
  .option('--yes', 'do not ask for a confirmation', false)
  .allowExcessArguments(false)
  .action((file: string, options: Omit<PublishOptions, 'file' | 'at'> & { readonly at?: Date }) => {
    chosen = (database) => publishTerms(database, { ...options, file, at: options.at });
  });

program
  .command('withdraw')
  .description('Withdraw an announced version, until a minute before its effect.')
  .usage('<version> --reason <text> [options]')
  .argument('<version>', 'such as 2026-12-20', versionNamed)
  .option(...DOCUMENT)
  .requiredOption('--reason <text>', 'reason; stored permanently in the log', oneLine)
  .option('--yes', 'do not ask for a confirmation', false)
  .allowExcessArguments(false)
  .action(
    (
      version: string,
      options: { readonly document: TermsDocument; readonly reason: string; readonly yes: boolean },
    ) => {
      chosen = (database) => withdrawTerms(database, { ...options, version });
    },
  );

program.parse();

await runOnDatabase('terms', (database) => chosen(database));
