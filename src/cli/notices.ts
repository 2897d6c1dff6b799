import { InvalidArgumentError } from 'commander';
import { createNoticeQueries, type AnnouncementRow } from '../projections/notice-queries.ts';
import type { NoticeRow } from '../projections/rows/notices.ts';
import { plain } from './account-history/plain-text.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

const outcomes = ['accepted', 'pending', 'failed'] as const;

const outcome = (text: string): NoticeRow['outcome'] => {
  const found = outcomes.find((one) => one === text);
  if (!found) throw new InvalidArgumentError(`It must be one of ${outcomes.join(', ')}.`);
  return found;
};

const PAGE = 1000;

const subjectOf = ({ kind, subject, version, effective_from }: AnnouncementRow): string => {
  switch (kind) {
    case 'terms':
      return `${plain(subject)}, version ${version}`;
    case 'price':
      return `price ${version} of ${plain(subject)}`;
    case 'delisting':
      return `end of sale of ${plain(subject)} at ${effective_from?.toISOString()}`;
  }
};

const line = (row: AnnouncementRow): string =>
  `${row.queued_at.toISOString()}  ${row.announcement_id}  ${subjectOf(row)}: ${counted(Number(row.accounts), 'account')}, ` +
  `${row.accepted} accepted, ${row.pending} pending, ${row.failed} failed`;

const listNotices = async ({ rows }: OpenDatabase): Promise<ExitCode> => {
  const all = await createNoticeQueries(rows).announcements();
  for (const one of all) await print(line(one));
  if (all.length === 0) await print('No account has a notice.');
  return 0;
};

const showNotices = async (
  { rows }: OpenDatabase,
  announcementId: string,
  wanted: NoticeRow['outcome'] | undefined,
): Promise<ExitCode> => {
  const queries = createNoticeQueries(rows);
  const [announcement] = await queries.announcements(announcementId);
  if (!announcement)
    throw new CliFault(`No account has a notice of ${plain(announcementId)}. See npm run notices -- list.`);
  await print(line(announcement));
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: readonly NoticeRow[] = await queries.noticesOf(announcementId, { outcome: wanted, after, limit: PAGE });
    for (const one of page) {
      const since = (one.answered_at ?? one.queued_at).toISOString();
      await print(`  ${plain(one.account_id)}  ${one.notice_id}  ${one.outcome} since ${since}`);
    }
    after = page.length === PAGE ? page.at(-1)?.account_id : undefined;
  }
  return 0;
};

let chosen: (database: OpenDatabase) => Promise<ExitCode> = () => Promise.resolve(2);

const program = createProgram(
  'notices',
  'Announcements that customers were notified of, and whether mail servers accepted the notices. Read from tables that a ' +
    'running gateway maintains.',
)
  .usage('<command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run notices -- list
  $ npm run notices -- show ann_51c0e7b2d94f4a08b26d1f93
  $ npm run notices -- show ann_51c0e7b2d94f4a08b26d1f93 --outcome failed
${EXIT_CODES}`,
  )
  .allowExcessArguments(false);

program
  .command('list')
  .description('The newest 200 announcements, with the number of accounts that have a notice and its outcomes.')
  .usage('')
  .allowExcessArguments(false)
  .action(() => {
    chosen = listNotices;
  });

program
  .command('show')
  .description('The accounts that have a notice of an announcement.')
  .usage('<announcement> [options]')
  .argument('<announcement>', 'the announcement, such as ann_51c0e7b2d94f4a08b26d1f93')
  .option('--outcome <outcome>', `only ${outcomes.join(', ')}`, outcome)
  .allowExcessArguments(false)
  .action((announcementId: string, options: { readonly outcome?: NoticeRow['outcome'] }) => {
    chosen = (database) => showNotices(database, announcementId, options.outcome);
  });

program.parse();
await runOnDatabase('notices', (database) => chosen(database));
