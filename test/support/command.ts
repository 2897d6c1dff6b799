import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

type Options = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> };

/** The cache of compiled code is not part of what an operator sets. */
const COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? '';

/** Runs a file of src/cli as an operator does from a shell. Its environment has only what is given. */
export const runCommand = (script: string, args: readonly string[], { cwd, env = {} }: Options = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const file = fileURLToPath(new URL(`../../src/cli/${script}.ts`, import.meta.url));
    const options = { cwd, env: { ...env, NODE_COMPILE_CACHE: COMPILE_CACHE } };
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
