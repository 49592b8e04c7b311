/** Why a file could not be read, with the cure, as one line. */
export function fileProblem(what: string, path: string, error: unknown): string {
  return `${what} ${path}: ${reason(error)}`;
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file; correct the path, or put the file there';
    case 'EACCES':
    case 'EPERM':
      return 'it must not be read by us; give read permission to the user that fedway runs as';
    case 'EISDIR':
      return 'it is a folder; name the file in it';
    default:
      return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}
