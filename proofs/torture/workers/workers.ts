import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of the torture, across its restarts. */
export type Worker = {
  readonly name: string;
  /** Stops it with SIGSTOP, until the returned function is called. */
  freeze(): () => void;
  /** Kills it with -9 and restarts it. */
  kill(): Promise<void>;
  /** Lets it finish its current work; kills it after the time limit. */
  finish(withinMs: number): Promise<void>;
  /** Ends it at once, without a restart. */
  abandon(): Promise<void>;
};

type WorkerOptions = {
  readonly name: string;
  readonly file: string;
  readonly settings: object;
  /** Called if it ended without being asked to. */
  readonly failed: (why: string) => void;
};

const SAID_KEEP = 4000;

export const startWorker = ({ name, file, settings, failed }: WorkerOptions): Worker => {
  const path = fileURLToPath(new URL(file, import.meta.url));
  type Life = { readonly child: ChildProcess; endIsExpected: boolean };
  const start = (): Life => {
    const child = spawn(process.execPath, [path, JSON.stringify({ name, ...settings })], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const life = { child, endIsExpected: false };
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-SAID_KEEP)));
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => failed(`${name} could not be run: ${error.message}`));
    child.once('close', (code, signal) => {
      if (!life.endIsExpected || code) failed(`${name} ended by itself (${signal ?? `code ${code}`}):\n${said}`);
    });
    return life;
  };

  let life = start();

  /** Undefined if it has already ended. */
  const ending = (): Promise<unknown> | undefined => {
    const { child } = life;
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    life.endIsExpected = true;
    return once(child, 'exit');
  };
  const end = async (): Promise<void> => {
    const ended = ending();
    life.child.kill('SIGKILL');
    await ended;
  };

  return {
    name,
    freeze: () => {
      const frozen = life.child;
      frozen.kill('SIGSTOP');
      return () => void frozen.kill('SIGCONT');
    },
    kill: async () => {
      await end();
      life = start();
    },
    finish: async (withinMs) => {
      const ended = ending();
      const { child } = life;
      child.stdin?.end();
      const tooLate = setTimeout(() => child.kill('SIGKILL'), withinMs);
      await ended;
      clearTimeout(tooLate);
    },
    abandon: end,
  };
};
