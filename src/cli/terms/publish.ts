import { readFile } from 'node:fs/promises';
import type { TermsDocument } from '../../domain/terms/events.ts';
import { documentNames, documentPaths, isReadableText } from '../../domain/terms/names.ts';
import { effectByDefault, type PublishTerms } from '../../domain/terms/terms.ts';
import { createTermsTexts, sha256Of } from '../../eventstore/journal/terms-texts.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { changeTerms, expectAccepted } from './change-terms.ts';
import { isConfirmed, NOT_CONFIRMED } from './confirm.ts';

export type PublishOptions = {
  readonly file: string;
  readonly document: TermsDocument;
  readonly version: string;
  readonly summary: string;
  readonly significant: boolean;
  readonly at: Date | undefined;
  readonly yes: boolean;
};

const MAX_BYTES = 1024 * 1024;

const readTextFile = async (file: string): Promise<Buffer> => {
  const text = await readFile(file);
  if (text.length > MAX_BYTES) throw new CliFault(`${file} is larger than 1 MiB.`);
  try {
    if (isReadableText(new TextDecoder('utf-8', { fatal: true }).decode(text))) return text;
  } catch (cause) {
    throw new CliFault(`${file} is not UTF-8.`, { cause });
  }
  throw new CliFault(`${file} must not be empty or contain control characters other than line ends and tabs.`);
};

/** Announces a version, after a confirmation of what will happen. */
export const publishTerms = async (database: OpenDatabase, options: PublishOptions): Promise<ExitCode> => {
  const { file, document, version, summary, significant, yes } = options;
  const text = await readTextFile(file);
  return changeTerms(database, async ({ state, now, execute }) => {
    const effectiveAt = options.at ?? effectByDefault(state, { document, version, significant, at: now });
    const command: PublishTerms = {
      ...{ type: 'PublishTerms', document, version, sha256: sha256Of(text), summary, significant, effectiveAt },
      at: now,
    };
    const [expected] = expectAccepted(command, state);
    if (expected?.type !== 'TermsPublished') {
      await print(`Nothing to do: version ${version} was published with this text, and ${effectInWords(effectiveAt)}.`);
      return 0;
    }
    await announce(command, expected.effectiveAt);
    if (!(await isConfirmed(yes))) {
      await print(NOT_CONFIRMED);
      return 1;
    }
    const texts = createTermsTexts(database.url);
    // Stored first, so that every version in the log has a text.
    await texts.store(text).finally(() => texts.close());
    await execute(command);
    await print(`Published. Every gateway has it within a second or two.`);
    return 0;
  });
};

const effectInWords = (effectiveAt: Date | null): string =>
  effectiveAt ? `takes effect at ${effectiveAt.toISOString()}` : 'takes effect at once, as the first version';

const announce = async (command: PublishTerms, effectiveAt: Date | null): Promise<void> => {
  const { document, version, sha256, summary, significant, at } = command;
  await print(`${documentNames[document]}, version ${version}`);
  await print(`  text       SHA-256 ${sha256}. It never changes under this version.`);
  await print(`  summary    ${summary}`);
  await print(`  effect     it ${effectInWords(effectiveAt)}. The clock of the log is at ${at.toISOString()}.`);
  await print(
    significant
      ? '  notice     it is significant: the owners of every open account are notified by mail.'
      : '  notice     it is not significant: no mail is sent.',
  );
  await print(
    `  public     at ${documentPaths[document]}/${version}, with the differences at ${documentPaths[document]}/${version}/changes.`,
  );
  if (effectiveAt) await print('  until a minute before its effect it can be withdrawn.');
};
