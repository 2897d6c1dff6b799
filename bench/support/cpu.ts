import { readdir, readFile, readlink } from 'node:fs/promises';

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

/** CPU seconds of a process and its descendants, also of those that have ended. NaN without /proc. */
export const cpuWithEnded = async (pid: number): Promise<number> => {
  const processes = await readProcesses().catch(() => []);
  const family = new Set([pid]);
  for (const { id, parent } of processes.toSorted((a, b) => a.id - b.id)) if (family.has(parent)) family.add(id);
  const own = processes.filter(({ id }) => family.has(id));
  return own.length === 0
    ? Number.NaN
    : own.reduce((sum, { ticks, endedTicks }) => sum + ticks + endedTicks, 0) / TICKS_PER_SECOND;
};

const LISTENS = '0A';

/** The id of the process on this machine that listens on a TCP port. Undefined if no process of this user does. */
export const listenerOn = async (port: number): Promise<number | undefined> => {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((text) => text.split('\n')).map((row) => row.trim().split(/\s+/));
  const row = rows.find(([, local = '', , state]) => local.endsWith(hexPort) && state === LISTENS);
  if (row?.[9] === undefined) return undefined;
  const socket = `socket:[${row[9]}]`;
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${id}/fd`).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${id}/fd/${file}`).catch(() => '')));
    if (links.includes(socket)) return Number(id);
  }
  return undefined;
};

type ProcessStat = {
  readonly id: number;
  readonly parent: number;
  readonly ticks: number;
  /** Of children that have ended. */
  readonly endedTicks: number;
};

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
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { id: Number(id), parent, ticks: user + system, endedTicks: endedUser + endedSystem };
  } catch {
    return undefined; // The process has ended.
  }
};
