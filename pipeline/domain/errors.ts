/** The operating system's code of a failed file operation, such as ENOENT; empty where the error has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
