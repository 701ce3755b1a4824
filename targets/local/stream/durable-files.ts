import { open, readFile, rename } from "node:fs/promises";
import { errorCode } from "../../../pipeline/domain/errors.ts";

/** A file that only grows, each append durable before it is done. */
export interface AppendFile {
  /** Writes at the end. Throws StorageUncertain where nobody can say what the disk holds now; any other error wrote nothing. */
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** The disk may hold any part of the last append: the file takes no more until it has been opened and checked again. */
export class StorageUncertain extends Error {}

/** Opens a file whose first `size` bytes are good; whatever follows them is cut off. */
export async function openAppendFile(path: string, size: number): Promise<AppendFile> {
  const file = await open(path, "a+");
  await file.truncate(size);
  let end = size;
  let uncertain: StorageUncertain | undefined;

  async function undo(cause: unknown): Promise<never> {
    await file.truncate(end).catch((error: unknown) => {
      throw distrust(error);
    });
    throw new Error(`Stream segment ${path}: could not write: ${String(cause)}; free some space on that disk`, {
      cause,
    });
  }

  function distrust(cause: unknown): StorageUncertain {
    uncertain = new StorageUncertain(
      `Stream segment ${path}: the disk failed: ${String(cause)}; see to the disk, then open the stream again`,
      { cause },
    );
    return uncertain;
  }

  return {
    async append(bytes) {
      if (uncertain) throw uncertain;
      await file.appendFile(bytes).catch(undo);
      // After a failed sync the kernel may have dropped the pages: nothing can be said about them any more.
      await file.datasync().catch((error: unknown) => {
        throw distrust(error);
      });
      end += bytes.length;
    },
    close: () => file.close(),
  };
}

/** Puts a whole new text in place of a file, or leaves the old one: a reader never sees half of it, also after a crash. */
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

/** The text of a file, or undefined where there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
