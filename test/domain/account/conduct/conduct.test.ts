import { describe, it } from 'vitest';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { AccountEvent, SuspensionCause } from '../../../../src/domain/account/events.ts';
import {
  closed,
  drawn,
  expired,
  given,
  keyRevoked,
  paid,
  reinstate,
  reserve,
  reserved,
  settle,
  settled,
  suspended,
  termsAccepted,
  toppedUp,
} from '../examples.ts';

type Command<T extends AccountCommand['type']> = Extract<AccountCommand, { type: T }>;
type Event<T extends AccountEvent['type']> = Extract<AccountEvent, { type: T }>;

const violate = (over: Partial<Command<'RecordViolation'>> = {}): Command<'RecordViolation'> => ({
  ...{ type: 'RecordViolation', violationId: 'vio_1', category: 'damage', evidence: ['gen-1'] },
  ...{ consequence: 'warning', reason: 'attack', forfeit: false, ...over },
});
const violated = (over: Partial<Event<'ViolationRecorded'>> = {}): Event<'ViolationRecorded'> => ({
  ...{ type: 'ViolationRecorded', violationId: 'vio_1', category: 'damage', evidence: ['gen-1'] },
  ...{ consequence: 'warning', reason: 'attack', ...over },
});
const ofViolation: SuspensionCause = { kind: 'violation', violationId: 'vio_1' };
const terminated = (forfeited = false): Event<'AccountTerminated'> => ({
  ...{ type: 'AccountTerminated', violationId: 'vio_1', reason: 'attack', forfeited },
});
const keyEnds = { ...keyRevoked(), reason: 'account closed' };
const forfeited = (amount: bigint, reason = 'attack'): AccountEvent => ({
  ...{ type: 'CreditsForfeited', lotId: 'lot_2', amount, reason },
});
const forfeit: AccountCommand = { type: 'ForfeitCredits', reason: 'attack' };
const authorized: AccountEvent = { type: 'ResaleAuthorized', reason: 'contract' };
const authorize: AccountCommand = { type: 'AuthorizeResale', reason: 'contract' };
const endResale: AccountCommand = { type: 'EndResaleAuthorization', reason: 'over' };

describe('RecordViolation', () => {
  it('records a warning', () => given().when(violate()).then(violated()));
  it('records a violation once', () => given(violated()).when(violate()).then());
  it('suspends for the violation', () =>
    given()
      .when(violate({ consequence: 'suspension' }))
      .then(violated({ consequence: 'suspension' }), suspended('attack', ofViolation)));
  it('adds its cause to other causes of a suspension', () =>
    given(suspended())
      .when(violate({ consequence: 'suspension' }))
      .then(violated({ consequence: 'suspension' }), suspended('attack', ofViolation)));
  it('ends with a reinstatement of that cause', () =>
    given(violated({ consequence: 'suspension' }), suspended('attack', ofViolation))
      .when({ type: 'ReinstateAccount', reason: 'explained', cause: ofViolation })
      .then({ type: 'AccountReinstated', reason: 'explained', cause: ofViolation }));
  it('does not end with the reinstatement of another cause', () =>
    given(violated({ consequence: 'suspension' }), suspended('attack', ofViolation))
      .when(reinstate('explained'))
      .thenRefused('account_not_suspended'));

  it('terminates without forfeiture: keys and grants end, paid credits stay owed', () =>
    given(toppedUp(5n), paid(7n))
      .when(violate({ consequence: 'termination' }))
      .then(
        violated({ consequence: 'termination' }),
        terminated(),
        { type: 'AccountClosed', reason: 'attack' },
        keyEnds,
        expired(5n),
      ));
  it('terminates with forfeiture of the paid credits', () =>
    given(paid(7n))
      .when(violate({ consequence: 'termination', forfeit: true }))
      .then(
        ...[violated({ consequence: 'termination' }), terminated(true)],
        ...([{ type: 'AccountClosed', reason: 'attack' }, keyEnds, forfeited(7n)] as const),
      ));
  it('forfeits what open holds leave when they end', () => {
    const past = [
      ...[
        paid(7n),
        reserved(4n),
        violated({ consequence: 'termination' }),
        terminated(true),
        closed('attack'),
        keyEnds,
      ],
      forfeited(3n),
    ];
    given(...past)
      .when(settle(1))
      .then(settled(1, { held: 4n, charged: 1n, released: 3n, drawn: [drawn(1n, 'lot_2')] }), forfeited(3n));
  });
  it('terminates an account that is already closed, with forfeiture', () =>
    given(paid(7n), closed(), keyEnds)
      .when(violate({ consequence: 'termination', forfeit: true }))
      .then(violated({ consequence: 'termination' }), terminated(true), forfeited(7n)));
  it('terminates once', () =>
    given(violated({ consequence: 'termination' }), terminated(), closed('attack'), keyEnds)
      .when(violate({ violationId: 'vio_2', consequence: 'termination' }))
      .thenRefused('account_closed'));
  it.each(['warning', 'suspension'] as const)('refuses a %s of a closed account', (consequence) =>
    given(closed(), keyEnds).when(violate({ consequence })).thenRefused('account_closed'),
  );
  it('refuses the category resale if resale is authorised', () =>
    given(authorized)
      .when(violate({ category: 'resale' }))
      .thenRefused('resale_authorized'));
});

describe('forfeiture', () => {
  it('needs a termination: paid credits of a holder who leaves stay owed', () =>
    given(paid(7n), closed(), keyEnds).when(forfeit).thenRefused('account_not_terminated'));
  it('may follow a termination without forfeiture', () =>
    given(paid(7n), violated({ consequence: 'termination' }), terminated(), closed('attack'), keyEnds)
      .when(forfeit)
      .then(forfeited(7n)));
});

describe('closing with paid credits left', () => {
  it('records that they are to be refunded', () =>
    given(paid(7n))
      .when({ type: 'CloseAccount', reason: 'asked', rest: 'refund' })
      .then({ ...closed(), rest: 'refund' }, keyEnds));
  it('waives them in the same append', () =>
    given(paid(7n))
      .when({ type: 'CloseAccount', reason: 'asked', rest: 'waived' })
      .then({ ...closed(), rest: 'waived' }, keyEnds, {
        ...{ type: 'CreditsWaived', lotId: 'lot_2', amount: 7n, reason: 'asked' },
      }));
});

describe('resale', () => {
  it('is authorised once', () => {
    given().when(authorize).then(authorized);
    given(authorized).when(authorize).then();
  });
  it('ends by an event of its own', () =>
    given(authorized).when(endResale).then({ type: 'ResaleAuthorizationEnded', reason: 'over' }));
  it('cannot end without an authorisation', () => given().when(endResale).thenRefused('resale_not_authorized'));
});

describe('notices and acceptance by use', () => {
  const about = { kind: 'terms', document: 'terms', version: '2026-02' } as const;
  const queue: AccountCommand = { type: 'QueueNotice', noticeId: 'ntc_1', about };
  const queued: AccountEvent = { type: 'NoticeQueued', noticeId: 'ntc_1', about };
  const answered = (outcome: 'accepted' | 'failed'): AccountEvent => ({
    ...{ type: 'NoticeAnswered', noticeId: 'ntc_1', outcome },
  });
  const answer = (outcome: 'accepted' | 'failed'): AccountCommand => ({
    ...{ type: 'AnswerNotice', noticeId: 'ntc_1', outcome },
  });
  const use = (explicit = false, version = '2026-02') => ({ ...reserve(4n), terms: { version, explicit } });
  const byUse = (notice: 'accepted' | 'failed' | 'pending' | 'not_due'): AccountEvent => ({
    ...{ type: 'TermsAccepted', version: '2026-02', how: 'use', notice },
  });

  it('queues a notice once', () => {
    given().when(queue).then(queued);
    given(queued).when(queue).then();
  });
  it('queues no notice to a closed account', () => given(closed(), keyEnds).when(queue).thenRefused('account_closed'));
  it('records the outcome; one accepted mail is enough', () => {
    given(queued).when(answer('failed')).then(answered('failed'));
    given(queued, answered('failed')).when(answer('accepted')).then(answered('accepted'));
    given(queued, answered('accepted')).when(answer('failed')).then();
    given().when(answer('failed')).thenRefused('notice_not_found');
  });

  it.each([
    ['not_due', []],
    ['pending', [queued]],
    ['accepted', [queued, answered('accepted')]],
    ['failed', [queued, answered('failed')]],
  ] as const)('binds to the new terms in the append of the hold, with the notice %s', (notice, past) =>
    given(toppedUp(5n), ...past)
      .when(use())
      .then(byUse(notice), reserved(4n)),
  );
  it('binds once', () => given(toppedUp(9n), byUse('not_due')).when(use()).then(reserved(4n)));
  it('does not bind if the request is refused', () => given().when(use()).thenRefused('insufficient_credits'));
  it('never binds to older terms again: the clock of another node may be a little behind', () =>
    given(toppedUp(5n), termsAccepted('2026-03')).when(use()).then(reserved(4n)));
  it('binds before the end of a lot that is recorded in the same append', () =>
    given({ ...toppedUp(5n), endsAt: 1 }, paid(9n))
      .when(use())
      .then(byUse('not_due'), { ...expired(5n), reason: 'ended' }, reserved(4n)));
  it('requires an explicit acceptance after a failed notice, if the operator has set that', () => {
    given(toppedUp(5n), queued, answered('failed')).when(use(true)).thenRefused('terms_not_accepted');
    given(toppedUp(5n), queued).when(use(true)).then(byUse('pending'), reserved(4n));
    given(toppedUp(5n), queued, answered('failed'), termsAccepted('2026-02')).when(use(true)).then(reserved(4n));
  });
});

describe('a correction of terms that customers were notified of', () => {
  const about = { kind: 'terms', document: 'terms', version: '2026-02' } as const;
  const past: readonly AccountEvent[] = [
    toppedUp(5n),
    { type: 'NoticeQueued', noticeId: 'ntc_1', about },
    { type: 'NoticeAnswered', noticeId: 'ntc_1', outcome: 'failed' },
  ];
  const use = (explicit: boolean) => ({ ...reserve(4n), terms: { version: '2026-03', noticed: '2026-02', explicit } });
  const byUse = (notice: 'failed' | 'not_due'): AccountEvent => ({
    ...{ type: 'TermsAccepted', version: '2026-03', how: 'use', notice },
  });

  it('binds with the state of that notice', () =>
    given(...past)
      .when(use(false))
      .then(byUse('failed'), reserved(4n)));
  it('requires an explicit acceptance if that notice failed and the operator has set that', () =>
    given(...past)
      .when(use(true))
      .thenRefused('terms_not_accepted'));
  it('needs no notice of a holder who has accepted the version before it', () =>
    given(...past, termsAccepted('2026-02'))
      .when(use(true))
      .then(byUse('not_due'), reserved(4n)));
});

describe('contacts', () => {
  const note: AccountCommand = { type: 'NoteContact', contactId: 'con_1', topic: 'billing' };
  const noted: AccountEvent = { type: 'ContactNoted', contactId: 'con_1', topic: 'billing' };
  const answer: AccountCommand = { type: 'NoteContactAnswer', contactId: 'con_1' };
  const answeredContact: AccountEvent = { type: 'ContactAnswerNoted', contactId: 'con_1' };

  it('are noted once, also after the account was closed', () => {
    given().when(note).then(noted);
    given(noted).when(note).then();
    given(closed(), keyEnds).when(note).then(noted);
  });
  it('are answered once', () => {
    given(noted).when(answer).then(answeredContact);
    given(noted, answeredContact).when(answer).then();
  });
});
