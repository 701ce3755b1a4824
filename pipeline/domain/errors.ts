/** Returns the operating system's code of a failed file operation, such as ENOENT; empty if the error has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
