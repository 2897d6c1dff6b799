import type { TermsDocument } from '../../domain/terms/events.ts';
import { documentNames } from '../../domain/terms/names.ts';
import { plain } from '../account-history/plain-text.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { changeTerms, expectAccepted } from './change-terms.ts';
import { isConfirmed, NOT_CONFIRMED } from './confirm.ts';

export type WithdrawOptions = {
  readonly document: TermsDocument;
  readonly version: string;
  readonly reason: string;
  readonly yes: boolean;
};

/** Withdraws an announced version, after a confirmation. */
export const withdrawTerms = (
  database: OpenDatabase,
  { document, version, reason, yes }: WithdrawOptions,
): Promise<ExitCode> =>
  changeTerms(database, async ({ state, now, execute }) => {
    const command = { type: 'WithdrawTerms', document, version, reason, at: now } as const;
    if (expectAccepted(command, state).length === 0) {
      await print(`Nothing to do: version ${version} was withdrawn before.`);
      return 0;
    }
    await print(`${documentNames[document]}, version ${version}, will not take effect: ${plain(reason)}`);
    await print('  Customers who were notified of it are not notified again by this command.');
    if (!(await isConfirmed(yes))) {
      await print(NOT_CONFIRMED);
      return 1;
    }
    await execute(command);
    await print('Withdrawn. Every gateway has it within a second or two.');
    return 0;
  });
