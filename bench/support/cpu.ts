import { readdir, readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** CPU seconds of a process and its descendants; undefined if the system has no /proc (it is not Linux). */
export const cpuSeconds = async (pid: number): Promise<number | undefined> => {
  try {
    const processes = await readProcesses();
    const family = new Set([pid]);
    for (let before = 0; before !== family.size;) {
      before = family.size;
      for (const { id, parent } of processes) if (family.has(parent)) family.add(id);
    }
    const ticks = processes.filter(({ id }) => family.has(id)).reduce((sum, process) => sum + process.ticks, 0);
    return ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
};

/** CPU seconds of a process, and of its descendants. */
export const cpuOf = async (pid: number): Promise<{ readonly own: number; readonly children: number }> => {
  const all = (await cpuSeconds(pid)) ?? Number.NaN;
  const children = await Promise.all((await findProcesses(pid)).map(cpuSeconds));
  const sum = children.reduce<number>((total, seconds) => total + (seconds ?? 0), 0);
  return { own: all - sum, children: sum };
};

/** The children of a process that are alive. */
const findProcesses = async (parent: number): Promise<readonly number[]> =>
  (await readProcesses()).filter((process) => process.parent === parent).map(({ id }) => id);

type ProcessStat = { readonly id: number; readonly parent: number; readonly ticks: number };

const readProcesses = async (): Promise<readonly ProcessStat[]> => {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(ids.map(readStat));
  return stats.filter((stat) => stat !== undefined);
};

const readStat = async (id: string): Promise<ProcessStat | undefined> => {
  try {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8');
    // proc(5): the command's name is in parentheses and may contain any character; the numbers follow it.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const [user = 0, system = 0] = fields.slice(11, 13);
    return { id: Number(id), parent, ticks: user + system };
  } catch {
    return undefined; // The process has ended.
  }
};
