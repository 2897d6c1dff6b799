/** Headers of pictures and sound, written by hand: as much of a file as tells its size. */

const be32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((n) => n & 255));
const be16 = (value: number): Buffer => be32(value).subarray(2);
const le32 = (value: number): Buffer => be32(value).reverse();
const le24 = (value: number): Buffer => le32(value).subarray(0, 3);
const le16 = (value: number): Buffer => le32(value).subarray(0, 2);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

export const png = (width: number, height: number): Buffer =>
  Buffer.concat([
    latin1('\x89PNG\r\n\x1a\n'),
    be32(13),
    latin1('IHDR'),
    be32(width),
    be32(height),
    latin1('\x08\x06\0\0\0'),
  ]);

/** With this many bytes before its size, as a camera writes them: what it is, where it was taken, a small copy of it. */
export const jpeg = (width: number, height: number, before = 16, frame = 0xc2): Buffer => {
  const segments: Buffer[] = [];
  for (let left = before; left > 0; left -= 60_000) {
    // Such a copy is a JPEG, with a size of its own.
    const filled = Buffer.concat([latin1('Exif\0\0\xff\xd8\xff\xc0\0\x11\x08\0\x01\0\x01'), Buffer.alloc(60_000)]);
    const own = filled.subarray(0, Math.min(left, 60_000));
    segments.push(latin1('\xff\xe1'), be16(own.length + 2), own);
  }
  const size = [
    latin1('\xff'),
    latin1(String.fromCharCode(frame)),
    be16(17),
    latin1('\x08'),
    be16(height),
    be16(width),
  ];
  return Buffer.concat([latin1('\xff\xd8'), ...segments, latin1('\xff\xff\xdb\0\x04\0\0'), ...size, Buffer.alloc(20)]);
};

export const gif = (
  width: number,
  height: number,
  frame: { width: number; height: number } = { width, height },
): Buffer =>
  Buffer.concat([
    latin1('GIF89a'),
    le16(width),
    le16(height),
    latin1('\x91\0\0'), // With a table of four colours.
    Buffer.alloc(12),
    latin1('\x21\xf9\x04\0\0\0\0\0'),
    latin1('\x2c\0\0\0\0'),
    le16(frame.width),
    le16(frame.height),
    latin1('\0\0'),
  ]);

const riff = (format: string, chunk: string, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  return Buffer.concat([latin1('RIFF'), le32(body.length + 12), latin1(format + chunk), le32(body.length), body]);
};

export const webp = {
  lossy: (width: number, height: number) =>
    riff('WEBP', 'VP8 ', latin1('\x30\x01\0\x9d\x01\x2a'), le16(width), le16(height + 0x4000), Buffer.alloc(8)),
  lossless: (width: number, height: number) =>
    riff('WEBP', 'VP8L', latin1('\x2f'), le32(width - 1 + (height - 1) * 2 ** 14), Buffer.alloc(8)),
  extended: (width: number, height: number) =>
    riff('WEBP', 'VP8X', latin1('\x10\0\0\0'), le24(width - 1), le24(height - 1), Buffer.alloc(8)),
};

type Wav = {
  readonly samplesPerSecond: number;
  readonly bits: number;
  readonly seconds: number;
  readonly format?: number;
};

export const wav = ({ samplesPerSecond, bits, seconds, format = 1 }: Wav): Buffer => {
  const block = bits / 8;
  const speed = [le16(1), le32(samplesPerSecond), le32(samplesPerSecond * block), le16(block), le16(bits)];
  const samples = Buffer.alloc(samplesPerSecond * seconds * block);
  const sound = Buffer.concat([
    latin1('LIST'),
    le32(3),
    latin1('abc\0'),
    latin1('fmt '),
    le32(16),
    le16(format),
    ...speed,
  ]);
  return Buffer.concat([latin1('RIFF'), le32(0), latin1('WAVE'), sound, latin1('data'), le32(samples.length), samples]);
};

/** Frames of 128 kbit/s as a real encoder writes them, of MPEG-1 at 44.1 kHz or of MPEG-2 at 22.05 kHz at 64 kbit/s. */
export const mp3 = (frames: number, version: 1 | 2 = 1): Buffer => {
  const frame = Buffer.alloc(version === 1 ? 417 : 208);
  frame.write(version === 1 ? '\xff\xfb\x90\xc0' : '\xff\xf3\x80\xc0', 'latin1');
  return Buffer.concat(Array.from({ length: frames }, () => frame));
};
