import {
  TERMS_STREAM,
  type PublishTerms,
  type TermsEvent,
  type TermsRefusal,
  type Terms,
} from '../../domain/terms/terms.ts';
import type { Commands } from '../../eventstore/commands.ts';
import type { TermsTexts } from '../../eventstore/journal/terms-texts.ts';
import type { TermsFile } from '../../config/terms-files.ts';
import { newId } from '../new-id.ts';

/** Fault: a file has another text than the one that was published as its version, or there are no terms at all. */
export class TermsFault extends Error {
  override readonly name = 'TermsFault';
  readonly code: 'terms_version_changed' | 'terms_missing';

  constructor(code: TermsFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const changed = ({ file, version, sha256 }: TermsFile, published: string): TermsFault =>
  new TermsFault(
    'terms_version_changed',
    `${file} has another text than the one published as version ${version} of the terms (SHA-256 ${sha256} instead of ` +
      `${published}): put the published text back, and save a new text as a new version, in a file of its own such as ` +
      `legal/terms-${new Date().toISOString().slice(0, 10)}.md.`,
  );

export type PublishTermsOptions = {
  readonly terms: Pick<Commands<Terms, PublishTerms, TermsEvent, TermsRefusal>, 'execute' | 'read'>;
  readonly texts: Pick<TermsTexts, 'store'>;
  /** Oldest first. */
  readonly files: readonly TermsFile[];
};

/**
 * Publishes the newest file if the log has neither its version nor a newer one, and stores the texts of all published
 * versions. Rejects with TermsFault.
 */
export const publishTerms = async ({ terms, texts, files }: PublishTermsOptions): Promise<void> => {
  const published = new Map((await terms.read(TERMS_STREAM)).state.map(({ version, sha256 }) => [version, sha256]));
  const newest = files.at(-1);
  if (!newest && published.size === 0) {
    throw new TermsFault(
      'terms_missing',
      'There are no terms: put them into legal/, in a file such as terms-2026-11-24.md.',
    );
  }
  for (const file of files) {
    const known = published.get(file.version);
    if (known !== undefined && known !== file.sha256) throw changed(file, known);
  }
  // Stored first, so that every version in the log has a text.
  for (const file of files) if (file === newest || published.has(file.version)) await texts.store(file.text);
  if (!newest) return;
  const { version, sha256 } = newest;
  const metadata = { actor: 'system:start', commandId: newId() };
  const outcome = await terms.execute(TERMS_STREAM, { type: 'PublishTerms', version, sha256 }, metadata);
  if (outcome.kind === 'accepted') return;
  // Another node has just published this version with another text.
  const now = (await terms.read(TERMS_STREAM)).state.find((one) => one.version === version);
  throw changed(newest, now?.sha256 ?? 'unknown');
};
