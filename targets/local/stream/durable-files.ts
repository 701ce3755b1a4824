import { open, readFile, rename } from "node:fs/promises";
import { errorCode } from "../../../pipeline/domain/errors.ts";

/** An append-only file; an append resolves once it is durable. */
export interface AppendFile {
  /**
   * Appends bytes. Throws StorageUncertain if the file's content is now unknown; after any other error it is unchanged.
   */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Any part of the last append may be on disk: the file rejects further appends until it is reopened and checked. */
export class StorageUncertain extends Error {}

/** Opens a file whose first `size` bytes are valid and truncates the rest. */
export async function openAppendFile(path: string, size: number): Promise<AppendFile> {
  const file = await open(path, "a+");
  await file.truncate(size);
  let end = size;
  let uncertain: StorageUncertain | undefined;

  async function undo(cause: unknown): Promise<never> {
    await file.truncate(end).catch((error: unknown) => {
      throw distrust(error);
    });
    throw new Error(`Stream segment ${path}: write failed: ${String(cause)}: free some space on that disk`, {
      cause,
    });
  }

  function distrust(cause: unknown): StorageUncertain {
    uncertain = new StorageUncertain(
      `Stream segment ${path}: the disk failed: ${String(cause)}: repair the disk, then open the stream again`,
      { cause },
    );
    return uncertain;
  }

  return {
    async append(bytes) {
      if (uncertain) throw uncertain;
      await file.appendFile(bytes).catch(undo);
      // After a failed fsync the kernel may have dropped the dirty pages, so the content on disk is unknown.
      await file.datasync().catch((error: unknown) => {
        throw distrust(error);
      });
      end += bytes.length;
    },
    close: () => file.close(),
  };
}

/** Replaces a file's content atomically, also across a crash. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/** The text of a file; undefined if it does not exist. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
