import type { Logger } from 'pino';
import { priceDecider } from '../../domain/prices/decide.ts';
import { termsDecider } from '../../domain/terms/terms.ts';
import { createFold } from '../../eventstore/fold.ts';
import { journal } from '../../eventstore/journal/codec.ts';
import type { PeopleMail } from '../../people/mail-data.ts';
import { createNoticeProcess } from '../../people/notices/notice-process.ts';
import { withNoticeMail } from '../../people/notices/notice-texts.ts';
import type { EventLog } from '../event-log.ts';
import { startGatewayProcess, type GatewayProcessOptions } from '../people/processes.ts';
import type { Views } from '../views.ts';

type NoticesOptions = GatewayProcessOptions & {
  readonly eventLog: Pick<EventLog, 'accounts' | 'mails' | 'vault' | 'foldAccount'>;
  readonly views: Pick<Views, 'notices'>;
  readonly publicUrl: () => string;
  readonly log: Logger;
};

/** The texts of notices for mail, and the process that sends them. */
export const createNotices = (options: NoticesOptions) => {
  const { eventLog, views, publicUrl, log } = options;
  const { accounts, mails, vault, store, foldAccount } = eventLog;
  const foldTerms = createFold({ store, codec: journal, decider: termsDecider });
  const foldPrices = createFold({ store, codec: journal, decider: priceDecider });
  const about = { accounts, mails, vault, store, foldAccount, foldTerms, foldPrices, publicUrl };
  return {
    mail: (people: PeopleMail): PeopleMail => withNoticeMail(about, people),
    /** Must be closed before the log. */
    start: () =>
      startGatewayProcess(
        options,
        createNoticeProcess({
          ...about,
          accountsWithoutNotice: views.notices.accountsWithout,
          usersWithoutNotice: views.notices.usersWithout,
          toldOf: async (announcementId, after, limit) =>
            (await views.notices.ofAnnouncement(announcementId, { after, limit })).map((row) => ({
              ...{ accountId: row.account_id, noticeId: row.notice_id },
            })),
          progressed: ({ about: subject, accounts: count, isDone }) =>
            log.info({ about: subject, accounts: count }, isDone ? 'notices are queued' : 'notices are being queued'),
        }),
      ),
  };
};
