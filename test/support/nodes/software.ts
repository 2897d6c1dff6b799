import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Software = {
  /** What is in it may be changed: `legal/` and `catalogue/` are data of a release. */
  readonly folder: string;
  remove(): Promise<void>;
};

/** A copy of this software, as another release of it would be installed. */
export const copySoftware = async (): Promise<Software> => {
  const folder = await mkdtemp(join(tmpdir(), 'kissapi-software-'));
  for (const name of ['src', 'legal', 'catalogue', 'package.json']) {
    await cp(resolve(name), join(folder, name), { recursive: true });
  }
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};
