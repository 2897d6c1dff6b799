import { CliFault } from './fault.ts';

/** Descriptions of the error codes of files. */
const troubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'there is no permission',
  EPERM: 'there is no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links lead to each other',
  EIO: 'the disk cannot be read or written',
};

/** Describes an error of a file; undefined for other errors. */
export const fileTrouble = (error: unknown): string | undefined => {
  const { code = '', syscall } = (error ?? {}) as { readonly code?: string; readonly syscall?: string };
  return syscall === undefined || /^(connect|spawn|listen|bind)/.test(syscall) ? undefined : troubles[code];
};

/** A one-line message that names the file; undefined for other errors. */
export const fileFault = (error: unknown): CliFault | undefined => {
  const trouble = fileTrouble(error);
  const { path = 'The file' } = (error ?? {}) as { readonly path?: string };
  return trouble === undefined ? undefined : new CliFault(`${path} cannot be used: ${trouble}.`, { cause: error });
};
