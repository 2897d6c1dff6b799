/** One lot, as a reference keeps it: in the order in which lots pay. */
export type EndingLot = { readonly id: string; readonly left: bigint; readonly promotional: boolean };

/**
 * What promotional lots lose if they end now. Counted from the lot that pays last: it is the last that a hold would need, so
 * what no hold keeps is taken from there.
 */
export const endedNow = (lots: readonly EndingLot[], held: bigint): readonly { id: string; amount: bigint }[] => {
  let free = lots.reduce((sum, { left }) => sum + left, 0n) - held;
  const ended: { id: string; amount: bigint }[] = [];
  for (const { id, left, promotional } of [...lots].reverse()) {
    const amount = left < free ? left : free;
    free -= amount;
    if (promotional && amount > 0n) ended.unshift({ id, amount });
  }
  return ended;
};
