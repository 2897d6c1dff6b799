import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { queries, query } from './sql.ts';

/** A text as it is, in hexadecimal, and in base64 wherever it may begin. */
const disguises = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('hex'),
  // The characters at either end depend on what stands beside the text.
  ...[0, 1, 2].map((shift) =>
    Buffer.from(`${' '.repeat(shift)}${text}`)
      .toString('base64')
      .slice(shift === 0 ? 0 : shift + 1)
      .replace(/=+$/, '')
      .slice(0, -2),
  ),
];

/** Whether a text is in a place, in any of these forms. */
export const isIn = (place: string, text: string): boolean =>
  disguises(text).some((disguise) => place.includes(disguise));

/** Every row of every table of every schema that may be read, the catalogues included, and what is kept about columns. */
export const dumpDatabase = async (databaseUrl: string): Promise<string> => {
  const tables = await query<{ name: string }>(
    databaseUrl,
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'm') and n.nspname not like 'pg_toast%' and has_table_privilege(c.oid, 'select')`,
  );
  const names = [...tables.map(({ name }) => name), 'pg_stats', 'pg_prepared_statements'];
  const asked = names.map((name) => ({ text: `select t::text as row from ${name} t` }));
  const rows = await queries<{ row: string }>(databaseUrl, asked);
  return names.map((name, n) => [name, ...(rows[n] ?? []).map(({ row }) => row), ''].join('\n')).join('');
};

/** The names and the contents of all files. */
export const dumpFolder = async (folder: string): Promise<string> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return files.map((file, n) => `${file}\n${contents[n] ?? ''}\n`).join('');
};
