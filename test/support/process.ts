import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type Started = {
  /** What the pattern's first group found in what the process said. */
  readonly said: string;
  readonly match: RegExpExecArray;
  readonly pid: number;
  /** Everything it wrote so far, to either output. */
  output(): string;
  /** Sends a signal and waits for the end; tells the exit code, or null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

const START_WITHIN_MS = 60_000;

/** Runs a file of this project in a process of its own, and waits until it says what the pattern looks for. */
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
  let output = '';
  let saidSo = false;
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
      const found = saidSo ? null : ready.exec(output);
      if (!found) return;
      saidSo = true;
      clearTimeout(timeout);
      resolve(found);
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
  });
  return {
    said: match[1] ?? '',
    match,
    pid: child.pid ?? 0,
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
