import fc from 'fast-check';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import {
  noticeOutcomes,
  violationCategories,
  violationConsequences,
  type NoticeAbout,
} from '../../../../src/domain/account/conduct/events.ts';
import type { SuspensionCause } from '../../../../src/domain/account/events.ts';
import { close } from '../examples.ts';

// Few names, so that an answer meets its notice, and a use the notice about its terms.
const version = fc.constantFrom('2026-01', '2026-02', '2026-03');
const notices: Readonly<Record<string, NoticeAbout>> = {
  ntc_1: { kind: 'terms', document: 'terms', version: '2026-02' },
  ntc_2: { kind: 'terms', document: 'terms', version: '2026-03' },
  ntc_3: { kind: 'terms', document: 'privacy', version: '2026-02' },
  ntc_4: { kind: 'price', model: 'simulated-small', version: 2 },
  ntc_5: { kind: 'delisting', model: 'simulated-small', effectiveFrom: 1 },
};
const noticeId = fc.constantFrom('ntc_1', 'ntc_1', 'ntc_2', 'ntc_2', 'ntc_3', 'ntc_4', 'ntc_5');
const violationId = fc.constantFrom('vio_1', 'vio_2', 'vio_3', 'vio_4');
const contactId = fc.constantFrom('con_1', 'con_2');
const reason = 'asked';

const queued = noticeId.map((noticeId): AccountCommand => {
  const about = notices[noticeId];
  if (!about) throw new Error('Each notice is about something.');
  return { type: 'QueueNotice', noticeId, about };
});
const answered = fc
  .record({ noticeId, outcome: fc.constantFrom('failed', ...noticeOutcomes) })
  .map((one): AccountCommand => ({ type: 'AnswerNotice', ...one }));

const violated = fc
  .record({
    violationId,
    category: fc.constantFrom(...violationCategories),
    evidence: fc.constantFrom([], ['gen-1'], ['gen-1', 'key_1']),
    consequence: fc.constantFrom(...violationConsequences.filter((one) => one !== 'termination')),
    forfeit: fc.boolean(),
  })
  .map((one): AccountCommand => ({ type: 'RecordViolation', reason, ...one }));
const terminated = fc
  .record({ violationId: fc.constantFrom('vio_5', 'vio_6'), forfeit: fc.boolean() })
  .map((one): AccountCommand => ({
    ...{ type: 'RecordViolation', category: 'damage', evidence: [], consequence: 'termination', reason, ...one },
  }));

/** The terms in force of a request. Most requests are made under the terms that the account has accepted. */
export const termsInForce = fc.record({ version, explicit: fc.boolean() }).map((one) => ({ ...one }));

/** Every way in which an account ends. */
export const anyEnd: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<AccountCommand>(close()) },
  { weight: 1, arbitrary: fc.constant<AccountCommand>({ ...close(), rest: 'refund' }) },
  { weight: 3, arbitrary: fc.constant<AccountCommand>({ ...close(), rest: 'waived' }) },
  { weight: 3, arbitrary: terminated },
);

/** Notices, resale, violations that do not end the account, and contacts. */
export const anyConduct: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 4, arbitrary: queued },
  { weight: 4, arbitrary: answered },
  { weight: 3, arbitrary: violated },
  { weight: 2, arbitrary: version.map((version): AccountCommand => ({ type: 'AcceptTerms', version, how: 'api' })) },
  {
    weight: 4,
    arbitrary: violationId.map((violationId): AccountCommand => {
      const cause: SuspensionCause = { kind: 'violation', violationId };
      return { type: 'ReinstateAccount', reason, cause };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<AccountCommand>(
      { type: 'AuthorizeResale', reason },
      { type: 'EndResaleAuthorization', reason },
      close(reason, 'per_stranger'),
    ),
  },
  {
    weight: 1,
    arbitrary: contactId.chain((contactId) =>
      fc.constantFrom<AccountCommand>(
        { type: 'NoteContact', contactId, topic: 'billing' },
        { type: 'NoteContactAnswer', contactId },
      ),
    ),
  },
);
