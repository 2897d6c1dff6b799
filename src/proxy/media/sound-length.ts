import { firstBytes, numbersIn, type Numbers } from './inline-bytes.ts';

const READ_BYTES = 4096;

/** What any WAV without compression holds: whole samples, or samples by a logarithm (A-law and µ-law). */
const uncompressed = [1, 3, 6, 7];
const EXTENSIBLE = 0xfffe;

/** The lowest bitrate that MPEG knows for Layer III, in bytes a second: frames after the first may be of any version. */
const MP3_LOWEST = 8_000 / 8;

/**
 * The longest that sound which is sent inline can last, in seconds; undefined where its bytes do not bound that, as those
 * of compressed silence do not. Of an MP3 the lowest bitrate counts, for frames may differ, and only the first is read.
 */
export const soundSeconds = (base64: string): number | undefined => {
  const bytes = firstBytes(base64, READ_BYTES);
  const bytesPerSecond = bytes && slowest(numbersIn(bytes));
  return bytesPerSecond && bytesPerSecond > 0 ? (base64.length * 3) / 4 / bytesPerSecond : undefined;
};

const slowest = (numbers: Numbers): number | undefined => {
  const { says, u8 } = numbers;
  if (says(0, 'RIFF') && says(8, 'WAVE')) return slowestWav(numbers);
  const isLayer3 = u8(0) === 0xff && u8(1) >= 0xe0 && ((u8(1) >> 1) & 3) === 1;
  return isLayer3 || says(0, 'ID3') ? MP3_LOWEST : undefined;
};

/** Of all that the header says of its speed, the slowest, for who knows which of it a provider believes. */
const slowestWav = ({ le16, le32, says }: Numbers): number | undefined => {
  let at = 12;
  // A chunk is padded to a whole number of words.
  while (!says(at, 'fmt ')) {
    const size = le32(at + 4);
    if (Number.isNaN(size)) return undefined;
    at += 8 + size + (size % 2);
  }
  const format = le16(at + 8);
  if (!uncompressed.includes(format === EXTENSIBLE ? le16(at + 32) : format)) return undefined;
  const [channels, samples, bytes, block, bits] = [
    le16(at + 10),
    le32(at + 12),
    le32(at + 16),
    le16(at + 20),
    le16(at + 22),
  ];
  return Math.min(bytes, samples * block, (samples * channels * bits) / 8);
};
