/** For `expect.poll`: what must come, however busy the machine is. Nothing is promised about when. */
export const SOON = { timeout: 20_000, interval: 20 } as const;
