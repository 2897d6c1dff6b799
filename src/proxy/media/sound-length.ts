import { firstBytes, numbersIn, type Numbers } from './inline-bytes.ts';

const READ_BYTES = 4096;

/** The WAV formats without compression: PCM, floating point, A-law and µ-law. */
const uncompressed = [1, 3, 6, 7];
const EXTENSIBLE = 0xfffe;

/** The lowest bitrate of MPEG Layer III, in bytes a second. Frames after the first may be of any version. */
const MP3_LOWEST = 8_000 / 8;

/**
 * The maximum length of inline sound, in seconds; undefined if its bytes do not bound it, as with compressed silence.
 * For an MP3 the lowest bitrate counts, because frames may differ and only the first is read.
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

/** The header states the byte rate in several ways. The lowest counts, because a provider may use any of them. */
const slowestWav = ({ le16, le32, says }: Numbers): number | undefined => {
  let at = 12;
  // Chunks are padded to an even number of bytes.
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
