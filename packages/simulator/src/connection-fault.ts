/** The simulated provider is closed, or it broke the connection. */
export class ConnectionFault extends Error {
  override readonly name = 'ConnectionFault';
  readonly code: 'connect' | 'reset';

  constructor(code: 'connect' | 'reset', message: string) {
    super(message);
    this.code = code;
  }
}
