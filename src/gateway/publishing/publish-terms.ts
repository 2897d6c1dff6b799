import type { Logger } from 'pino';
import type { TermsFile } from '../../config/terms-files.ts';
import type { TermsDocument, TermsEvent } from '../../domain/terms/events.ts';
import {
  TERMS_STREAM,
  findVersion,
  type Terms,
  type TermsCommand,
  type TermsRefusal,
} from '../../domain/terms/terms.ts';
import type { Commands } from '../../eventstore/commands.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import type { TermsTexts } from '../../eventstore/journal/terms-texts.ts';
import { newId } from '../new-id.ts';

const TRY_AGAIN_MS = 5000;

/** Fault: neither the log nor the folder legal/ has terms. */
export class TermsFault extends Error {
  override readonly name = 'TermsFault';
  readonly code = 'terms_missing';
}

export type TermsCommands = Commands<Terms, TermsCommand, TermsEvent, TermsRefusal>;

export type PublishStartersOptions = {
  readonly terms: Pick<TermsCommands, 'execute' | 'read'>;
  readonly texts: Pick<TermsTexts, 'store'>;
  /** Oldest first for each document. */
  readonly files: readonly TermsFile[];
  readonly now: () => Date;
};

/**
 * Publishes the starter text of each document of which the log has no version: its newest file in legal/. Later versions are
 * published by command, not from files. Returns whether it published any.
 * Rejects with TermsFault if there are no terms at all.
 */
export const publishStarters = async (
  { terms, texts, files, now }: PublishStartersOptions,
  documents: readonly TermsDocument[],
): Promise<boolean> => {
  const { state: known } = await terms.read(TERMS_STREAM);
  let published = false;
  for (const document of documents) {
    if (known.some((one) => one.document === document)) continue;
    const newest = files.findLast((one) => one.document === document);
    if (!newest) {
      if (document !== 'terms') continue;
      throw new TermsFault('There are no terms: put a file such as terms-2026-11-30.md into legal/.');
    }
    // Stored first, so that every version in the log has a text.
    await texts.store(newest.text);
    const { version, sha256 } = newest;
    const outcome = await terms.execute(
      TERMS_STREAM,
      {
        ...{ type: 'PublishTerms', document, version, sha256, summary: '', significant: false },
        ...{ effectiveAt: null, at: now() },
      },
      { actor: 'system:start', commandId: newId() },
    );
    // A refusal means that another node has published a version at the same moment.
    if (outcome.kind === 'accepted') published = true;
  }
  return published;
};

/** Stores the texts of published versions: databases of older releases have only their hashes. */
export const storePublishedTexts = async (
  { terms, texts, files }: Pick<PublishStartersOptions, 'terms' | 'texts' | 'files'>,
  log: Pick<Logger, 'warn'>,
): Promise<void> => {
  const { state: known } = await terms.read(TERMS_STREAM);
  for (const { file, document, version, sha256, text } of files) {
    const published = findVersion(known, document, version);
    if (published?.sha256 === sha256) await texts.store(text);
    else if (published) {
      log.warn(
        { file },
        `${file} differs from the published text of version ${version}, which stays in force. To publish a new ` +
          'version: npm run terms -- publish --help',
      );
    }
  }
};

/**
 * Publishes the other documents. Gateways of older releases cannot read these events, so it retries until none is running.
 * Resolves after the first attempt.
 */
export const publishFurtherStarters = async (
  options: PublishStartersOptions & {
    readonly log: Pick<Logger, 'warn'>;
    /** Resolves once the look-ups of this node have everything that was appended before. */
    readonly lookedUp: () => Promise<void>;
  },
): Promise<{ close(): void }> => {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const attempt = async (): Promise<void> => {
    try {
      if (await publishStarters(options, ['acceptable_use', 'privacy'])) await options.lookedUp();
    } catch (error) {
      if (closed) return;
      const passes = error instanceof NotReadableByAll || error instanceof StoreUnavailable;
      if (passes) timer = setTimeout(() => void attempt(), TRY_AGAIN_MS);
      options.log.warn({ err: error }, 'the acceptable-use policy and the privacy page are not published yet');
    }
  };
  await attempt();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
};
