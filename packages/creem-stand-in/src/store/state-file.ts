import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Where a stand-in keeps its state between two runs of the process. Both calls are synchronous, so that a response follows the saved state. */
export type StateStorage = {
  /** The JSON that was saved last, or undefined. */
  load(): string | undefined;
  save(stateJson: string): void;
};

/**
 * Keeps the state in a file of mode 0600, because it has webhook secrets. The file is replaced as a whole, so that a
 * process that is killed leaves the old one or the new one.
 */
export const createStateFile = (path: string): StateStorage => ({
  load: () => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  save: (stateJson) => {
    const next = `${path}.next`;
    writeFileSync(next, stateJson, { mode: 0o600 });
    renameSync(next, path);
  },
});
