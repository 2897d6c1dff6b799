/** Decodes only the first bytes of a base64 text; undefined if they are not plain base64. */
export const firstBytes = (base64: string, count: number): Buffer | undefined => {
  const text = base64.slice(0, Math.ceil(count / 3) * 4).replace(/={1,2}$/, '');
  const bytes = Buffer.from(text, 'base64');
  // Node skips invalid characters, so later offsets would differ from those that a provider reads.
  return bytes.length === Math.floor((text.length * 3) / 4) ? bytes : undefined;
};

/** The base64 of a data URL; undefined for any other URL. */
export const base64Of = (url: string): string | undefined => {
  const head = /^data:[^,]*;base64,/i.exec(url.slice(0, 256));
  return head ? url.slice(head[0].length) : undefined;
};

/** Reads numbers at offsets. Beyond the end they are NaN, and so is everything computed from them. */
export const numbersIn = (bytes: Uint8Array) => {
  const u8 = (at: number): number => bytes[at] ?? Number.NaN;
  const be16 = (at: number): number => u8(at) * 0x100 + u8(at + 1);
  const le16 = (at: number): number => u8(at + 1) * 0x100 + u8(at);
  return {
    u8,
    be16,
    le16,
    be32: (at: number): number => be16(at) * 0x10000 + be16(at + 2),
    le24: (at: number): number => u8(at + 2) * 0x10000 + le16(at),
    le32: (at: number): number => le16(at + 2) * 0x10000 + le16(at),
    /** Whether these characters are at this offset. */
    says: (at: number, what: string): boolean => [...what].every((char, n) => u8(at + n) === char.charCodeAt(0)),
  };
};

export type Numbers = ReturnType<typeof numbersIn>;
