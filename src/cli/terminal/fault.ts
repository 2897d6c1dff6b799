/** Fault: the command failed. The message has the cause and the remedy. */
export class CliFault extends Error {
  override readonly name = 'CliFault';
}
