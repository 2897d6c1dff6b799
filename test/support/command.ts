import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { format } from 'node:util';
import { fileURLToPath } from 'node:url';
import { storeEnv } from './stores/store-env.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

type Options = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> };

/** The cache of compiled code is not part of what an operator sets. */
const COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? '';

const ROOT = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** The scripts of package.json that run a file of src/cli. */
export const commands = Object.keys(scripts).filter((name) => scripts[name]?.includes(' src/cli/'));
/** The file that a script of package.json runs. */
const fileOf = (script: string): URL => new URL(scripts[script]?.split(' ').at(-1) ?? script, ROOT);

/** Runs a command of package.json as an operator does from a shell. Its environment has what is given, and the store. */
export const spawnCommand = (script: string, args: readonly string[], { cwd, env = {} }: Options = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd, env: { ...storeEnv(), ...env, NODE_COMPILE_CACHE: COMPILE_CACHE } };
    execFile(process.execPath, [fileURLToPath(fileOf(script)), ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

/** What `process.exit` throws while a command runs in this process. */
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let runs = 0;
let last: Promise<unknown> = Promise.resolve();

/**
 * The same in this process, which costs a tenth. Commands run one after another, because each has the arguments, the
 * environment, the output and the exit code of the process to itself. `test/cli/smoke.test.ts` spawns each command once.
 */
export const runCommand = (script: string, args: readonly string[], options: Options = {}): Promise<Ran> => {
  const ran = last.then(() => runHere(script, args, options));
  last = ran.catch(() => undefined);
  return ran;
};

const runHere = async (script: string, args: readonly string[], { cwd, env = {} }: Options): Promise<Ran> => {
  const { argv, env: ownEnv, exitCode, exit } = process;
  const ownCwd = process.cwd();
  const { error, log } = console;
  const output = { stdout: '', stderr: '' };
  const streams = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name];
    process[name].write = ((bytes: string | Uint8Array) => {
      output[name] += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
      return true;
    }) as typeof write;
    return () => void (process[name].write = write);
  });
  const listeners = listenersNow();
  // pg-promise warns of each further pool on a database.
  console.log = () => undefined;
  console.error = (...values: readonly unknown[]) => void (output.stderr += `${format(...values)}\n`);
  process.argv = [process.execPath, fileURLToPath(fileOf(script)), ...args];
  process.env = { ...storeEnv(), ...env };
  process.exitCode = undefined;
  process.exit = ((code?: number) => {
    throw new Exit(code ?? 0);
  }) as typeof exit;
  if (cwd !== undefined) process.chdir(cwd);
  try {
    // A module is evaluated once for each URL.
    await import(/* @vite-ignore */ `${fileOf(script).href}?run=${++runs}`);
    return { code: Number(process.exitCode ?? 0), ...output };
  } catch (thrown) {
    if (thrown instanceof Exit) return { code: thrown.code, ...output };
    throw thrown;
  } finally {
    if (cwd !== undefined) process.chdir(ownCwd);
    Object.assign(process, { argv, env: ownEnv, exit });
    process.exitCode = exitCode;
    Object.assign(console, { error, log });
    for (const restore of streams) restore();
    listeners.removeNew();
  }
};

/** Commands leave listeners on the process, which ends with them elsewhere. */
const listenersNow = () => {
  const emitters: readonly (readonly [NodeJS.EventEmitter, readonly string[]])[] = [
    [process, ['SIGINT', 'SIGTERM', 'exit']],
    [process.stdout, ['error']],
  ];
  const all = emitters.flatMap(([emitter, events]) =>
    events.map((event) => ({ emitter, event, before: emitter.listeners(event) })),
  );
  return {
    removeNew: (): void => {
      for (const { emitter, event, before } of all) {
        for (const listener of emitter.listeners(event)) {
          if (!before.includes(listener)) emitter.off(event, listener as () => void);
        }
      }
    },
  };
};
