import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export type NpmStarted = {
  /** Without a path: `http://127.0.0.1:1234`. Rejects where it ends before it is open. */
  readonly open: Promise<{ readonly url: string; readonly apiKey: string }>;
  output(): string;
  /** Sends a signal to npm alone, as a supervisor does, or to its group, as a terminal does at Ctrl-C. */
  signal(signal: NodeJS.Signals, whom: 'npm' | 'group'): void;
  /** Ends what is left of it, by force. */
  kill(): void;
  /** The exit code of npm, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
};

const OPEN = /OPENAI_BASE_URL=http:\/\/localhost:(\d+)\/v1[^]*OPENAI_API_KEY=(kiss_test_\w+)[^]*\/api\/docs/;

/** `npm start`, as a person types it, in a process group of its own. */
export const npmStart = (env: Readonly<Record<string, string>>): NpmStarted => {
  const child = spawn('npm', ['start'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const open = new Promise<{ url: string; apiKey: string }>((resolve, reject) => {
    const listen = (text: string): void => {
      output += text;
      const [, port, apiKey = ''] = OPEN.exec(output) ?? [];
      if (port !== undefined) resolve({ url: `http://127.0.0.1:${port}`, apiKey });
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    void ended.then((code) => reject(new Error(`npm start ended with ${code}:\n${output}`)));
  });
  open.catch(() => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error('npm could not be run');
  const signal: NpmStarted['signal'] = (name, whom) => void process.kill(whom === 'group' ? -pid : pid, name);
  return {
    open,
    ended,
    output: () => output,
    signal,
    kill: () => {
      try {
        signal('SIGKILL', 'group');
      } catch {
        // Nobody of the group is left.
      }
    },
  };
};

export type FoundProcess = { readonly pid: number; readonly commandLine: string };

/** The processes whose command line has this in it; that of a zombie is empty. */
export const processesWith = async (text: string): Promise<readonly FoundProcess[]> => {
  const all = process.platform === 'linux' ? await allOfProc() : await allOfPs();
  return all.filter(({ commandLine }) => commandLine.includes(text));
};

const allOfProc = async (): Promise<readonly FoundProcess[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const read = async (pid: number): Promise<FoundProcess> => {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return { pid, commandLine: line.replaceAll('\0', ' ') };
  };
  return Promise.all(pids.map(read));
};

const allOfPs = async (): Promise<readonly FoundProcess[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']);
  return stdout.split('\n').map((line) => ({ pid: Number.parseInt(line, 10), commandLine: line }));
};
