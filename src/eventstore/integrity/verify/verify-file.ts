import { hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { GENESIS } from '../chain.ts';
import { exportEnd, exportHeader, type ExportEnd, type ExportHeader } from './export-lines.ts';
import { BEGINNING, createMerger, type Verdict } from './merge.ts';
import { inThreads } from './threads.ts';
import type { VerifyOptions } from './verify-database.ts';

const BYTES_PER_PART = 8 * 1024 * 1024;
const WINDOW_BYTES = 64 * 1024;
const LINE_FEED = 10;
/** A part starts with an event, so that a checkpoint is always in the same part as its event. */
const START_OF_EVENT = '\n{"position":';

/** Fault: the file is not an export, or one that this version cannot read. */
export class NotAnExport extends Error {
  override readonly name = 'NotAnExport';
}

export type FileVerdict = Verdict & { readonly header: ExportHeader; readonly keptBefore: number };

/** The same checks on an export, without a database. Rejects with NotAnExport if the file does not start like one. */
export const verifyFile = async (
  file: string,
  { progress = () => undefined, partSize = BYTES_PER_PART, threads, ...trusted }: Omit<VerifyOptions, 'from'>,
): Promise<FileVerdict> => {
  const handle = await open(file);
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw new NotAnExport(`${file} is a directory. Name the file of an export.`);
    const { size } = found;
    if (size === 0) throw new NotAnExport(`${file} is empty: it is no export.`);
    const headerLine = await firstLine(handle, file);
    const header = readHeader(headerLine, file);
    const start = headerLine.length + 1;
    const before =
      header.from === 1 ? BEGINNING : { ...BEGINNING, position: header.from - 1, hash: header.previous_hash };
    const merger = createMerger(before);
    if (header.from === 1 && header.previous_hash !== GENESIS) {
      const what = 'the log begins with something before its first event';
      merger.fail({ position: 1, what, expected: GENESIS, found: header.previous_hash });
    }
    const { end, at } = await lastLine(handle, size);
    const parts = await partsOf(handle, start, at, partSize);
    let done = 0;
    await inThreads({ source: { file }, trusted, parts, threads }, (report) => {
      progress(parts[done++]?.to ?? at, at);
      return merger.add(report) ? 'more' : 'enough';
    });

    const { last, events, signatures } = merger.verdict();
    const position = (last?.position ?? before.position) + 1;
    if (!end) {
      const what = 'the file breaks off here: its closing line is not there or cannot be read';
      merger.fail({ position, what, expected: 'a closing line', found: 'none' });
    } else {
      const found = { to: position - 1, events, checkpoints: signatures.good + signatures.unchecked };
      const told = { to: header.to, events: end.events, checkpoints: end.checkpoints };
      if (JSON.stringify(found) !== JSON.stringify(told)) {
        const what = 'the file does not hold as much as it says';
        merger.fail({ position, what, expected: JSON.stringify(told), found: JSON.stringify(found) });
      }
      const lastHash = last?.hash ?? before.hash;
      if (end.hash !== lastHash) {
        const what = 'the closing line names another hash than that of the last event';
        merger.fail({ position: position - 1, what, expected: lastHash, found: end.hash });
      }
      const headerHash = hash('sha256', headerLine, 'hex');
      if (end.header_sha256 !== headerHash) {
        const what = 'the first line of the file was changed';
        merger.fail({ position: header.from, what, expected: end.header_sha256, found: headerHash });
      }
    }
    const beyond = trusted.kept.find((one) => one.position >= position);
    if (beyond) {
      const what = 'the log ends here, but a checkpoint that was kept elsewhere says that it went on';
      merger.fail({ position, what, expected: `events up to ${beyond.position}`, found: 'none' });
    }
    return {
      ...merger.verdict(),
      header,
      keptBefore: trusted.kept.filter((one) => one.position < header.from).length,
    };
  } finally {
    await handle.close();
  }
};

const readHeader = (line: Buffer, file: string): ExportHeader => {
  try {
    return exportHeader.parse(JSON.parse(line.toString())).export;
  } catch (cause) {
    throw new NotAnExport(`${file} does not begin as an export of this version does (docs/export-format.md).`, {
      cause,
    });
  }
};

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
};

const firstLine = async (handle: FileHandle, file: string): Promise<Buffer> => {
  const bytes = await readAt(handle, 0, WINDOW_BYTES);
  const newline = bytes.indexOf(LINE_FEED);
  if (newline === -1) throw new NotAnExport(`${file} has no first line that says what it is (docs/export-format.md).`);
  return bytes.subarray(0, newline);
};

/** The closing line and its offset; without a closing line, the end of the file. */
const lastLine = async (handle: FileHandle, size: number): Promise<{ end?: ExportEnd; at: number }> => {
  const from = Math.max(0, size - WINDOW_BYTES);
  const bytes = await readAt(handle, from, size - from);
  const newline = bytes.subarray(0, -1).lastIndexOf(LINE_FEED);
  try {
    if (bytes.at(-1) !== LINE_FEED) return { at: size };
    return { end: exportEnd.parse(JSON.parse(bytes.subarray(newline + 1).toString())).end, at: from + newline + 1 };
  } catch {
    return { at: size };
  }
};

const partsOf = async (
  handle: FileHandle,
  start: number,
  end: number,
  size: number,
): Promise<readonly { readonly from: number; readonly to: number }[]> => {
  const cuts = [start];
  for (let at = start + size; at < end;) {
    const bytes = await readAt(handle, at, Math.min(WINDOW_BYTES, end - at));
    const found = bytes.indexOf(START_OF_EVENT);
    // If not found, the window is inside a long event. The next one overlaps, in case the start was cut.
    if (found !== -1) cuts.push(at + found + 1);
    at += found === -1 ? Math.max(bytes.length - START_OF_EVENT.length, START_OF_EVENT.length) : found + 1 + size;
  }
  return cuts.map((from, n) => ({ from, to: cuts[n + 1] ?? end })).filter(({ from, to }) => from < to);
};
