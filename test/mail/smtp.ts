import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

/** What the server does with a mail. `silent`: it takes the content and never answers. */
export type SmtpBehaviour =
  'accept' | 'drop' | 'silent' | { readonly code: number; readonly at: 'from' | 'rcpt' | 'data' };

export type ReceivedMail = {
  readonly to: string;
  readonly raw: string;
  readonly messageId: string;
  readonly accepted: boolean;
};

export type TestSmtp = {
  readonly port: number;
  /** Every content that arrived in full, whether it was accepted or not. */
  readonly received: readonly ReceivedMail[];
  /** How the following mails are treated: the n-th behaviour for the n-th mail, then the last one. */
  behave(...behaviours: readonly SmtpBehaviour[]): void;
  /** Rejects mails to this address from now on. */
  refuse(address: string): void;
  close(): Promise<void>;
};

/** A reply with an enhanced status and a text that contains the address, as real servers send it. */
const refusal = (code: number, address: string): Error =>
  Object.assign(new Error(`${String(code)[0]}.3.0 <${address}>: no`), { responseCode: code });

/** A real SMTP server in this process. */
export const createTestSmtp = async (port = 0): Promise<TestSmtp> => {
  const received: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let behaviours: readonly SmtpBehaviour[] = ['accept'];
  const refused = new Set<string>();
  /** By session: several mails may be under way. */
  const behaviourOf = new Map<string, SmtpBehaviour>();
  const isAt = ({ id }: SMTPServerSession, at: string): number => {
    const behaviour = behaviourOf.get(id);
    return typeof behaviour === 'object' && behaviour.at === at ? behaviour.code : 0;
  };
  const recipient = ({ envelope }: SMTPServerSession): string => envelope.rcptTo[0]?.address ?? '';

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    hideENHANCEDSTATUSCODES: true,
    logger: false,
    closeTimeout: 100,
    disableReverseLookup: true,
    onMailFrom: ({ address }, session, done) => {
      behaviourOf.set(session.id, behaviours[0] ?? 'accept');
      if (behaviours.length > 1) behaviours = behaviours.slice(1);
      const code = isAt(session, 'from');
      done(code ? refusal(code, address) : null);
    },
    onRcptTo: ({ address }, session, done) => {
      const code = refused.has(address) ? 550 : isAt(session, 'rcpt');
      done(code ? refusal(code, address) : null);
    },
    onData: (stream, session, done) => {
      const to = recipient(session);
      const behaviour = behaviourOf.get(session.id);
      if (behaviour === 'drop')
        return void [...sockets].find((one) => one.remotePort === session.remotePort)?.destroy();
      let raw = '';
      stream.setEncoding('utf8').on('data', (text: string) => (raw += text));
      stream.on('end', () => {
        const messageId = /^Message-ID: (.+)$/im.exec(raw)?.[1]?.trim() ?? '';
        received.push({ to, raw, messageId, accepted: behaviour === 'accept' });
        const code = isAt(session, 'data');
        if (behaviour !== 'silent') done(code ? refusal(code, to) : null);
      });
    },
  } as ConstructorParameters<typeof SMTPServer>[0]);
  server.on('error', () => undefined);
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listener = server.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    received,
    behave: (...next) => (behaviours = next),
    refuse: (address) => void refused.add(address),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};
