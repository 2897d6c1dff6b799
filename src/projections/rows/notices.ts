import { accountOfStream } from '../../domain/account/account.ts';
import type { NoticeAbout, NoticeOutcome } from '../../domain/account/conduct/events.ts';
import { announcementIdOf } from '../../eventstore/journal/announcement-id.ts';
import type { DomainEvent } from '../../eventstore/journal/codec.ts';
import type { Projection } from '../projection.ts';

export type NoticeRow = {
  readonly notice_id: string;
  /** The same for all notices of one announcement. */
  readonly announcement_id: string;
  readonly account_id: string;
  readonly kind: NoticeAbout['kind'];
  /** The document, or the model. */
  readonly subject: string;
  /** Of the document or of the price. */
  readonly version: string | null;
  /** Of an end of sale. */
  readonly effective_from: Date | null;
  readonly outcome: NoticeOutcome | 'pending';
  readonly queued_at: Date;
  readonly answered_at: Date | null;
};

const types = new Set<DomainEvent['type']>(['NoticeQueued', 'NoticeAnswered']);

/** One row for each notice of an account. */
export const notices: Projection<NoticeRow> = {
  name: 'notices',
  version: 1,
  columns: {
    notice_id: 'text',
    announcement_id: 'text',
    account_id: 'text',
    kind: 'text',
    subject: 'text',
    version: 'text',
    effective_from: 'timestamptz',
    outcome: 'text',
    queued_at: 'timestamptz',
    answered_at: 'timestamptz',
  },
  keyLength: 1,
  indexes: [{ columns: ['announcement_id', 'account_id'] }],
  types,
  makes: new Set(['NoticeQueued']),
  keysOf: ({ stream, event }) =>
    accountOfStream(stream) !== undefined && (event.type === 'NoticeQueued' || event.type === 'NoticeAnswered')
      ? [[event.noticeId]]
      : [],
  evolve: (existing, { stream, event, time }, [noticeId = '']) => {
    const row = existing ?? emptyRow(noticeId, accountOfStream(stream) ?? '', time);
    if (event.type === 'NoticeAnswered') return { ...row, outcome: event.outcome, answered_at: time };
    if (event.type !== 'NoticeQueued') return row;
    return { ...row, ...subjectOf(event.about), announcement_id: announcementIdOf(event.about) };
  },
};

const emptyRow = (noticeId: string, accountId: string, queuedAt: Date): NoticeRow => ({
  ...{ notice_id: noticeId, announcement_id: '', account_id: accountId, kind: 'terms', subject: '', version: null },
  ...{ effective_from: null, outcome: 'pending', queued_at: queuedAt, answered_at: null },
});

const subjectOf = (about: NoticeAbout): Pick<NoticeRow, 'kind' | 'subject' | 'version' | 'effective_from'> => {
  switch (about.kind) {
    case 'terms':
      return { kind: about.kind, subject: about.document, version: about.version, effective_from: null };
    case 'price':
      return { kind: about.kind, subject: about.model, version: String(about.version), effective_from: null };
    case 'delisting':
      return { kind: about.kind, subject: about.model, version: null, effective_from: new Date(about.effectiveFrom) };
  }
};
