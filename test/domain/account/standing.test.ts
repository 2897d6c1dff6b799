import { describe, it } from 'vitest';
import {
  acceptTerms,
  accountLimitsSet,
  chargeLate,
  extend,
  given,
  givenNobody,
  issueKey,
  lateCharged,
  drawn,
  register,
  registered,
  reinstate,
  reinstated,
  release,
  released,
  reserve,
  reserved,
  revokeKey,
  settle,
  settled,
  suspend,
  suspended,
  termsAccepted,
  topUp,
  toppedUp,
} from './examples.ts';

describe('RegisterAccount', () => {
  it('opens an account', () => givenNobody().when(register()).then(registered));
  it('opens it with its limits', () => {
    const limits = { requestsPerMinute: 600, spending: { day: 5n } };
    givenNobody().when(register({ limits })).then(registered, accountLimitsSet(limits));
    givenNobody()
      .when(register({ limits: {} }))
      .then(registered);
    givenNobody()
      .when(register({ limits: { concurrentRequests: 0 } }))
      .thenRefused('invalid_limits');
  });
  it('opens one account only', () => givenNobody(registered).when(register()).thenRefused('account_exists'));
  it('refuses a person under 18', () =>
    givenNobody()
      .when(register({ adult: false }))
      .thenRefused('under_age'));
  it('asks no age of an entity', () =>
    givenNobody()
      .when(register({ adult: false, holder: 'entity' }))
      .then({ ...registered, holder: 'entity' }));
  it('says that an account exists before it asks for an age', () =>
    givenNobody(registered)
      .when(register({ adult: false }))
      .thenRefused('account_exists'));
});

describe('an account that was never registered', () => {
  it.each([
    acceptTerms(),
    suspend(),
    reinstate(),
    issueKey(),
    revokeKey(),
    topUp(0n),
    reserve(-1n),
    extend(0n),
    settle(1),
    release(),
    chargeLate(1),
  ])('is not found by $type', (command) => givenNobody().when(command).thenRefused('account_not_found'));
});

describe('AcceptTerms', () => {
  it('binds the account to a version', () => givenNobody(registered).when(acceptTerms()).then(termsAccepted()));
  it('binds it once', () => givenNobody(registered, termsAccepted()).when(acceptTerms()).then());
  it('binds it to a newer version', () => given().when(acceptTerms('2026-02')).then(termsAccepted('2026-02')));
  it('is open to a suspended account', () =>
    given(suspended()).when(acceptTerms('2026-02')).then(termsAccepted('2026-02')));
});

describe('SuspendAccount', () => {
  it('suspends, with the reason', () => given().when(suspend('resale')).then(suspended('resale')));
  it('suspends once', () => given(suspended('resale')).when(suspend('sharing')).then());
  it('suspends again after a reinstatement', () =>
    given(suspended(), reinstated()).when(suspend('sharing')).then(suspended('sharing')));
});

describe('ReinstateAccount', () => {
  it('reinstates, with the reason', () => given(suspended()).when(reinstate('appeal')).then(reinstated('appeal')));
  it('reinstates once', () => given(suspended(), reinstated()).when(reinstate()).thenRefused('account_not_suspended'));
  it('has nothing to reinstate in good standing', () => given().when(reinstate()).thenRefused('account_not_suspended'));
});

describe('a suspended account', () => {
  it('holds no more credits', () =>
    given(toppedUp(10n), suspended()).when(reserve(4n)).thenRefused('account_suspended'));
  it('holds none again, even for a request that holds some', () =>
    given(toppedUp(10n), reserved(4n), suspended()).when(reserve(4n)).thenRefused('account_suspended'));
  it('is issued no key', () => given(suspended()).when(issueKey('key_2')).thenRefused('account_suspended'));
  it('holds credits once it is reinstated', () =>
    given(toppedUp(10n), suspended(), reinstated()).when(reserve(4n)).then(reserved(4n)));
  it('still takes credits in', () => given(suspended()).when(topUp(5n)).then(toppedUp(5n)));

  describe('ends what was under way', () => {
    const underWay = given(toppedUp(10n), reserved(4n), suspended());
    it('by a charge', () =>
      underWay.when(settle(3)).then(settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] })));
    it('by a release', () => underWay.when(release()).then(released(4n)));
    it('by a late charge', () =>
      given(toppedUp(10n), reserved(4n), released(4n), suspended())
        .when(chargeLate(3))
        .then(lateCharged(3, { charged: 3n, drawn: [drawn(3n)] })));
  });
});
