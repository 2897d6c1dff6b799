/** For `expect.poll`: how often a condition is checked. It may take as long as a busy machine needs. */
export const SOON = { timeout: 60_000, interval: 50 } as const;
