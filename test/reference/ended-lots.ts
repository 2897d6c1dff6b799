/**
 * What each lot loses if all lots end now. They are given in the order in which they pay. Counted from the lot that pays last:
 * it is the last that a hold would need, so what no hold needs is taken from there.
 */
export const beyondHolds = (free: readonly bigint[], held: bigint): readonly bigint[] => {
  let left = free.reduce((sum, one) => sum + one, 0n) - held;
  return free
    .toReversed()
    .map((one) => {
      const part = one < left ? one : left;
      left -= part;
      return part;
    })
    .toReversed();
};
