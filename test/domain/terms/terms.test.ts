import { describe, expect, it } from 'vitest';
import type { TermsDocument, TermsEvent } from '../../../src/domain/terms/events.ts';
import { lastSignificant, termsInForce, upcomingTerms } from '../../../src/domain/terms/in-force.ts';
import { isReadableText, isTermsVersion } from '../../../src/domain/terms/names.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import { versionsAt } from '../../../src/domain/terms/standing.ts';
import { effectByDefault, termsDecider, type PublishTerms, type Terms } from '../../../src/domain/terms/terms.ts';
import { specify } from '../../given.ts';

const NOW = new Date('2026-12-01T10:00:00Z');
const ahead = (ms: number): Date => new Date(NOW.getTime() + ms);
const HOUR = 60 * 60_000;

const command = (version: string, changed: Partial<PublishTerms> = {}): PublishTerms => ({
  ...{ type: 'PublishTerms', document: 'terms', version, sha256: `text of ${version}`, summary: 'Shorter' },
  ...{ significant: false, effectiveAt: ahead(HOUR), at: NOW },
  ...changed,
});
const published = (version: string, changed: Partial<PublishTerms> = {}): TermsEvent => {
  const { at: _, ...announced } = command(version, changed);
  return { ...announced, type: 'TermsPublished' };
};
const first = (document: TermsDocument = 'terms'): TermsEvent =>
  published('2026-11-30', { document, summary: '', effectiveAt: null });
const withdraw = (version: string, at = NOW) =>
  ({ type: 'WithdrawTerms', document: 'terms', version, reason: 'a mistake', at }) as const;
const withdrawn = (version: string): TermsEvent => ({
  ...{ type: 'TermsWithdrawn', document: 'terms', version, reason: 'a mistake' },
});

const given = specify(termsDecider, first());

describe('PublishTerms', () => {
  it('brings the first version of a document into force at once, whatever time is asked for', () => {
    const asked = { document: 'privacy', significant: true } as const;
    given()
      .when(command('2026-12-01', asked))
      .then(published('2026-12-01', { ...asked, effectiveAt: null }));
  });

  it('announces a later version', () => given().when(command('2026-12-01')).then(published('2026-12-01')));

  it('changes nothing if the same was announced before', () =>
    given(published('2026-12-01'))
      .when(command('2026-12-01', { at: ahead(HOUR) }))
      .then());

  it.each([
    ['text', { sha256: 'another' }],
    ['summary', { summary: 'another' }],
    ['significance', { significant: true }],
    ['effect', { effectiveAt: ahead(2 * HOUR) }],
  ])('never changes the %s of a version', (_, changed) =>
    given(published('2026-12-01')).when(command('2026-12-01', changed)).thenRefused('terms_version_changed'),
  );

  it.each(['2026-11-29', '2026-11-29.9'])('refuses version %s, which is not newer', (version) =>
    given().when(command(version)).thenRefused('terms_version_not_newer'),
  );

  it('orders the versions of each document separately', () =>
    given(first('privacy'))
      .when(command('2026-12-01', { document: 'privacy' }))
      .then(published('2026-12-01', { document: 'privacy' })));

  it('refuses a version older than a withdrawn one', () =>
    given(published('2026-12-02'), withdrawn('2026-12-02'))
      .when(command('2026-12-01'))
      .thenRefused('terms_version_not_newer'));

  it('refuses a withdrawn version with the same text, which would not take effect', () =>
    given(published('2026-12-02'), withdrawn('2026-12-02'))
      .when(command('2026-12-02'))
      .thenRefused('terms_version_not_newer'));

  it.each([
    ['at once', null],
    ['in the past', ahead(-HOUR)],
    ['within a minute', ahead(MIN_AHEAD_MS - 1)],
  ])('refuses an effect %s', (_, effectiveAt) =>
    given().when(command('2026-12-01', { effectiveAt })).thenRefused('takes_effect_too_soon'),
  );

  it('accepts an effect a minute ahead', () => {
    const changed = { effectiveAt: ahead(MIN_AHEAD_MS) };
    given().when(command('2026-12-01', changed)).then(published('2026-12-01', changed));
  });

  it('refuses a significant version with less than 14 days of notice', () =>
    given()
      .when(command('2026-12-01', { significant: true, effectiveAt: ahead(NOTICE_MS - 1) }))
      .thenRefused('notice_too_short'));

  it('accepts a significant version with 14 days of notice', () => {
    const changed = { significant: true, effectiveAt: ahead(NOTICE_MS) };
    given().when(command('2026-12-01', changed)).then(published('2026-12-01', changed));
  });

  it('refuses an effect before that of another version', () =>
    given(published('2026-12-01', { effectiveAt: ahead(2 * HOUR) }))
      .when(command('2026-12-02', { effectiveAt: ahead(2 * HOUR - 1) }))
      .thenRefused('takes_effect_before_another_version'));

  it('accepts an effect before that of a withdrawn version', () =>
    given(published('2026-12-01', { effectiveAt: ahead(2 * HOUR) }), withdrawn('2026-12-01'))
      .when(command('2026-12-02'))
      .then(published('2026-12-02')));
});

describe('WithdrawTerms', () => {
  it('withdraws an announced version', () =>
    given(published('2026-12-01')).when(withdraw('2026-12-01')).then(withdrawn('2026-12-01')));

  it('withdraws it once', () =>
    given(published('2026-12-01'), withdrawn('2026-12-01'))
      .when(withdraw('2026-12-01', ahead(2 * HOUR)))
      .then());

  it.each([
    ['within a minute', ahead(HOUR - MIN_AHEAD_MS + 1)],
    ['in the past', ahead(2 * HOUR)],
  ])('refuses a version whose effect is %s', (_, at) =>
    given(published('2026-12-01')).when(withdraw('2026-12-01', at)).thenRefused('terms_version_in_force'),
  );

  it('refuses the first version', () => given().when(withdraw('2026-11-30')).thenRefused('terms_version_in_force'));

  it('refuses an unknown version', () => given().when(withdraw('2026-12-01')).thenRefused('terms_version_not_found'));

  it('does not change the same version of another document', () => {
    const events = [
      first(),
      first('privacy'),
      published('2026-12-01'),
      published('2026-12-01', { document: 'privacy' }),
    ];
    const terms = stateOf(...events, withdrawn('2026-12-01'));
    expect(upcomingTerms(terms, 'terms', NOW)).toEqual([]);
    expect(upcomingTerms(terms, 'privacy', NOW)).toHaveLength(1);
  });
});

const stateOf = (...events: readonly TermsEvent[]): Terms =>
  events.reduce((terms, event) => termsDecider.evolve(terms, event), termsDecider.initial());

describe('a version', () => {
  const events = [first(), published('2026-12-01'), published('2026-12-02', { effectiveAt: ahead(2 * HOUR) })];

  it('is in force from its effect until that of the next', () => {
    const inForce = (ms: number): unknown => termsInForce(stateOf(...events), 'terms', ahead(ms))?.version;
    expect([HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR].map(inForce)).toEqual([
      ...['2026-11-30', '2026-12-01', '2026-12-01', '2026-12-02'],
    ]);
  });

  it('is not in force if it was withdrawn: the one before stays', () => {
    const terms = stateOf(...events, withdrawn('2026-12-02'));
    expect(termsInForce(terms, 'terms', ahead(3 * HOUR))?.version).toBe('2026-12-01');
    expect(upcomingTerms(terms, 'terms', NOW).map(({ version }) => version)).toEqual(['2026-12-01']);
  });

  it('that customers were notified of stays the last one until another has taken effect', () => {
    const significant = { significant: true, effectiveAt: ahead(HOUR) };
    const correction = published('2026-12-02', { effectiveAt: ahead(2 * HOUR) });
    const terms = stateOf(first(), published('2026-12-01', significant), correction);
    const last = (ms: number) => lastSignificant(terms, 'terms', ahead(ms))?.version;
    expect([HOUR - 1, HOUR, 3 * HOUR].map(last)).toEqual([undefined, '2026-12-01', '2026-12-01']);
  });

  it('has a standing, and the times from which and until which it is in force', () => {
    const all = stateOf(...events, withdrawn('2026-12-01')).map((one) => ({ ...one, publishedAt: ahead(-HOUR) }));
    const at = (ms: number) =>
      versionsAt(all, 'terms', ahead(ms)).map(({ version, standing, since, until }) => [
        version,
        standing,
        since,
        until,
      ]);
    expect(at(0)).toEqual([
      ['2026-11-30', 'in_force', ahead(-HOUR), ahead(2 * HOUR)],
      ['2026-12-01', 'withdrawn', null, null],
      ['2026-12-02', 'upcoming', ahead(2 * HOUR), null],
    ]);
    expect(at(3 * HOUR).map(([, standing]) => standing)).toEqual(['past', 'withdrawn', 'in_force']);
  });

  it('of an unknown document is not in force', () => {
    expect(termsInForce(stateOf(...events), 'privacy', NOW)).toBeUndefined();
  });
});

describe('the effect of a version for which no time is asked', () => {
  const effect = (events: readonly TermsEvent[], version: string, significant = false): unknown =>
    effectByDefault(stateOf(...events), { document: 'terms', version, significant, at: NOW });

  it('is in two minutes, and if it is significant in 14 days and five minutes', () => {
    expect(effect([first()], '2026-12-01')).toEqual(ahead(2 * 60_000));
    expect(effect([first()], '2026-12-01', true)).toEqual(ahead(NOTICE_MS + 5 * 60_000));
  });

  it('is not before that of another version', () =>
    expect(effect([first(), published('2026-12-01')], '2026-12-02')).toEqual(ahead(HOUR)));

  it('is at once for the first version of a document', () => expect(effect([], '2026-12-01')).toBeNull());

  it('stays the announced one, so that a repeated command changes nothing', () =>
    expect(effect([first(), published('2026-12-01')], '2026-12-01', true)).toEqual(ahead(HOUR)));
});

describe('the name of a version', () => {
  it.each(['2026-12-20', '2026-12-20.2', '2026-12-20.9'])('%s is valid', (name) =>
    expect(isTermsVersion(name)).toBe(true),
  );
  it.each(['2026-12-20.1', '2026-12-20.10', '2026-13-20', '2026-12-32', '2026-12', 'next', '2026-12-20\n', ''])(
    '%j is invalid',
    (name) => expect(isTermsVersion(name)).toBe(false),
  );
});

describe('a text', () => {
  it.each(['# Terms\r\n\n\tindented', 'Zoë 😀'])('%j is accepted', (text) => expect(isReadableText(text)).toBe(true));
  it.each(['', ' \n', 'a\0b', 'a\u001b[2J', 'a\u0085b', 'half a pair \ud83d'])('%j is refused', (text) =>
    expect(isReadableText(text)).toBe(false),
  );
});
