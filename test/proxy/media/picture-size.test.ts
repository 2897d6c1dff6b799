import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pictureSize } from '../../../src/proxy/media/picture-size.ts';
import { gif, jpeg, png, webp } from './media.ts';

const url = (bytes: Uint8Array, type = 'image/png'): string =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;

const kinds = {
  png,
  gif,
  jpeg,
  'photograph with 50 KB before its size': (width: number, height: number) => jpeg(width, height, 50_000),
  'WebP with losses': webp.lossy,
  'WebP without': webp.lossless,
  'WebP with more in it': webp.extended,
};
const side = fc.integer({ min: 1, max: 2 ** 14 - 1 });

describe('pictureSize', () => {
  it.each(Object.entries(kinds))('reads what a %s says', (_kind, write) =>
    fc.assert(
      fc.property(side, side, (width, height) => {
        // Whatever it is said to be, and whatever follows the header.
        const bytes = Buffer.concat([write(width, height), Buffer.alloc(100_000)]);
        expect(pictureSize(url(bytes, 'application/octet-stream'))).toEqual({ width, height });
      }),
      { numRuns: 20 },
    ),
  );

  it('reads every kind of JPEG, and no table for a frame', () => {
    const frames = Array.from({ length: 16 }, (_, n) => 0xc0 + n);
    const tables = [0xc4, 0xc8, 0xcc];
    for (const frame of frames) {
      expect(pictureSize(url(jpeg(30, 20, 16, frame)))).toEqual(
        tables.includes(frame) ? undefined : { width: 30, height: 20 },
      );
    }
  });

  it('takes the larger of a GIF and its frame, as some decoders do', () => {
    expect(pictureSize(url(gif(10, 10, { width: 500, height: 4 })))).toEqual({ width: 500, height: 10 });
  });

  it('reads numbers of 32 bits as they are', () => {
    expect(pictureSize(url(png(2 ** 32 - 1, 2 ** 31)))).toEqual({ width: 2 ** 32 - 1, height: 2 ** 31 });
  });

  it.each([
    ['an address', 'https://example.com/a.png'],
    ['an address that begins as data', `data:image/png,${png(1, 1).toString('base64')}`],
    ['nothing', 'data:image/png;base64,'],
    ['a drawing', url(Buffer.from('<svg width="1" height="1"/>'), 'image/svg+xml')],
    ['a picture without width', url(png(0, 5))],
    ['a JPEG that tells its height later', url(jpeg(5, 0))],
    ['a photograph with more before its size than is read', url(jpeg(5, 5, 120_000))],
    // A provider that reads past the space finds other numbers at the same places.
    ['base64 with spaces in it', url(png(1, 1)).replace('base64,', 'base64, ')],
    ['base64 with something else in it', url(png(1, 1)).replace('base64,iV', 'base64,i\u00e9V')],
  ])('does not know the size of %s', (_what, given) => expect(pictureSize(given)).toBeUndefined());

  it('never knows it from half a header, and never throws', () =>
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(kinds)), fc.nat({ max: 51_000 }), (write, at) => {
        const whole = write(300, 200);
        const cut = pictureSize(url(whole.subarray(0, at)));
        if (cut) expect(cut).toEqual({ width: 300, height: 200 });
      }),
    ));

  it('never throws on garbage, nor runs for ever', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc
        .tuple(fc.constantFrom(...Object.values(kinds)), fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 60 }))
        .map(([write, noise, at]) => {
          const bytes = write(300, 200);
          bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
          return bytes;
        }),
    );
    fc.assert(
      fc.property(garbage, (bytes) => {
        const size = pictureSize(url(bytes));
        if (size) expect([size.width, size.height].every((one) => Number.isInteger(one) && one > 0)).toBe(true);
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.string(), (text) => void pictureSize(`data:image/png;base64,${text}`)));
  });
});
