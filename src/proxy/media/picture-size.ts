import { base64Of, firstBytes, numbersIn, type Numbers } from './inline-bytes.ts';

export type PictureSize = { readonly width: number; readonly height: number };

/** A photograph may have a thumbnail and a colour profile before its size. */
const READ_BYTES = [512, 64 * 1024];

/**
 * Reads width and height from the header of an inline picture; undefined for a URL and for formats other than PNG,
 * JPEG, GIF and WebP. Decodes only the beginning, and never throws.
 */
export const pictureSize = (url: string): PictureSize | undefined => {
  const base64 = base64Of(url);
  if (base64 === undefined) return undefined;
  for (const count of READ_BYTES) {
    const bytes = firstBytes(base64, count);
    const size = bytes && sizeIn(numbersIn(bytes));
    // A size with NaN is incomplete: values beyond the decoded bytes are NaN.
    if (size && size.width > 0 && size.height > 0) return size;
  }
  return undefined;
};

const sizeIn = (numbers: Numbers): PictureSize | undefined => {
  const { be16, be32, says } = numbers;
  if (says(0, '\x89PNG\r\n\x1a\n') && says(12, 'IHDR')) return { width: be32(16), height: be32(20) };
  if (be16(0) === 0xffd8) return sizeOfJpeg(numbers);
  if (says(0, 'GIF87a') || says(0, 'GIF89a')) return sizeOfGif(numbers);
  return says(0, 'RIFF') && says(8, 'WEBP') ? sizeOfWebp(numbers) : undefined;
};

/** Skips segments until the one that begins a frame. */
const sizeOfJpeg = ({ u8, be16 }: Numbers): PictureSize | undefined => {
  for (let at = 2; u8(at) === 0xff;) {
    const marker = u8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: be16(at + 5), width: be16(at + 7) };
    if (marker === 0xff) {
      at++; // Padding.
      continue;
    }
    const length = be16(at + 2);
    const hasLength = marker > 0xbf && (marker < 0xd0 || marker > 0xda) && length >= 2;
    if (!hasLength) return undefined;
    at += 2 + length;
  }
  return undefined;
};

/** Some decoders enlarge the screen to a larger frame, so the larger of the two counts. */
const sizeOfGif = ({ u8, le16 }: Numbers): PictureSize | undefined => {
  const colours = (flags: number): number => (flags >= 0x80 ? 3 * 2 ** ((flags % 8) + 1) : 0);
  let at = 13 + colours(u8(10));
  while (u8(at) === 0x21) {
    at += 2;
    while (u8(at) > 0) at += u8(at) + 1;
    at++;
  }
  if (u8(at) !== 0x2c) return undefined;
  return {
    width: Math.max(le16(6), le16(at + 1) + le16(at + 5)),
    height: Math.max(le16(8), le16(at + 3) + le16(at + 7)),
  };
};

const sizeOfWebp = ({ u8, le16, le24, le32, says }: Numbers): PictureSize | undefined => {
  if (says(12, 'VP8X')) return { width: le24(24) + 1, height: le24(27) + 1 };
  if (says(12, 'VP8L') && u8(20) === 0x2f) {
    const bits = le32(21);
    return { width: (bits % 2 ** 14) + 1, height: (Math.floor(bits / 2 ** 14) % 2 ** 14) + 1 };
  }
  const isKeyFrame = says(12, 'VP8 ') && says(23, '\x9d\x01\x2a');
  return isKeyFrame ? { width: le16(26) % 2 ** 14, height: le16(28) % 2 ** 14 } : undefined;
};
