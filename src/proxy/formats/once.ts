/** A function that computes its value on the first call and returns the same value afterwards. */
export const once = <Value extends object | undefined>(compute: () => Value): (() => Value) => {
  let computed: { readonly value: Value } | undefined;
  return () => (computed ??= { value: compute() }).value;
};
