import type { TooSoon } from '../../../domain/notice.ts';
import type { TermsRefusal } from '../../../domain/terms/terms.ts';
import { invalid, type ProblemEntry } from './problem-entries.ts';

export const termsRefusals = {
  terms_version_changed: invalid(
    409,
    'This version was already published with another text, summary, significance or effect.',
    'GET /api/terms lists it. Publish the new text as a new version.',
  ),
  terms_version_not_newer: invalid(
    409,
    'This document already has this version or a newer one.',
    'Choose a later date, or add a number, such as 2026-12-20.2.',
  ),
  takes_effect_before_another_version: invalid(
    409,
    'A version of this document that takes effect later was already published.',
    'Choose a time that is not before its effect, or withdraw that version first.',
  ),
  terms_version_in_force: invalid(
    409,
    'This version is or was in force, or takes effect within a minute.',
    'Publish a new version instead.',
  ),
  terms_version_not_found: invalid(404, 'There is no such version.', 'GET /api/terms lists the versions.'),
} satisfies Record<Exclude<TermsRefusal['code'], TooSoon>, ProblemEntry>;
