/** Fault: the command cannot do what it was asked. The message says why, and what the operator can do. */
export class CliFault extends Error {
  override readonly name = 'CliFault';
}
