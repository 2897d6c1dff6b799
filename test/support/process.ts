import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { register, unregister } from './nodes/processes.ts';

export type Started = {
  /** The first group of the pattern, as the output matched it. */
  readonly said: string;
  readonly match: RegExpExecArray;
  readonly pid: number;
  /** Everything that it has written so far, to either output. */
  output(): string;
  hasEnded(): boolean;
  /** Sends a signal and waits for the end. Returns the exit code, or null if a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

const START_WITHIN_MS = 120_000;

/** Runs a file of this project in a process of its own, and waits until its output matches the pattern. */
export const startProcess = async (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<Started> => {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid = 0 } = child;
  register(pid);
  child.once('exit', () => unregister(pid));
  let output = '';
  let isReady = false;
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const failed = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`${file} ${why}:\n${output}`));
    };
    const timeout = setTimeout(() => failed('did not start in time'), START_WITHIN_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(timeout);
      reject(new Error(`${file} ended with ${code ?? signal}:\n${output}`));
    });
    const listen = (text: string): void => {
      output += text;
      const found = isReady ? null : ready.exec(output);
      if (!found) return;
      isReady = true;
      clearTimeout(timeout);
      resolve(found);
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
  });
  return {
    said: match[1] ?? '',
    match,
    pid,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    output: () => output,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
};
