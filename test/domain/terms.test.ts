import { describe, expect, it } from 'vitest';
import { termsDecider, type TermsEvent } from '../../src/domain/terms/terms.ts';
import { specify } from '../given.ts';

const given = specify(termsDecider);
const publish = (version: string, sha256 = `text of ${version}`) =>
  ({ type: 'PublishTerms', version, sha256 }) as const;
const published = (version: string): TermsEvent => ({ ...publish(version), type: 'TermsPublished' });

describe('PublishTerms', () => {
  it('brings a version into force', () => given().when(publish('2026-01')).then(published('2026-01')));
  it('publishes it once', () => given(published('2026-01')).when(publish('2026-01')).then());
  it('brings a newer version into force', () =>
    given(published('2026-01')).when(publish('2026-02')).then(published('2026-02')));
  it('brings no older version back into force', () => given(published('2026-02')).when(publish('2026-01')).then());
  it('never changes a text that people accepted', () =>
    given(published('2026-01')).when(publish('2026-01', 'another text')).thenRefused('terms_version_changed'));
  it('never changes it, even when it is no longer in force', () =>
    given(published('2026-01'), published('2026-02'))
      .when(publish('2026-01', 'another text'))
      .thenRefused('terms_version_changed'));
});

describe('the terms', () => {
  it('end with the version in force', () => {
    const terms = [published('2026-01'), published('2026-02')].reduce(termsDecider.evolve, termsDecider.initial());
    expect(terms.at(-1)).toEqual({ version: '2026-02', sha256: 'text of 2026-02' });
  });
});
