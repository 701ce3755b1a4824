import type { ObjectStore } from "../../pipeline/ports.ts";

interface Version {
  id: string;
  isMarker: boolean;
}

/** The versions of each key in a versioned bucket; the bodies of noncurrent versions are not kept. */
export function createVersions() {
  const kept = new Map<string, Version[]>();
  let made = 0;

  const note = (key: string, isMarker: boolean): void => {
    kept.set(key, [{ id: `v${++made}`, isMarker }, ...(kept.get(key) ?? [])]);
  };

  return {
    notePut: (key: string) => note(key, false),
    noteDelete: (key: string) => note(key, true),
    /** Deletes one version permanently. */
    async remove(store: ObjectStore, key: string, id: string): Promise<void> {
      const [newest] = kept.get(key) ?? [];
      const left = (kept.get(key) ?? []).filter((version) => version.id !== id);
      if (left.length === 0) kept.delete(key);
      else kept.set(key, left);
      if (newest === undefined || newest.id === id) await store.delete(key);
    },
    /** ListObjectVersions, page by page: objects that were not put through the server have the version `null`. */
    async list(store: ObjectStore, parameters: URLSearchParams, pageSize: number): Promise<string> {
      const prefix = parameters.get("prefix") ?? "";
      const unknown = (await store.list(prefix)).filter(({ key }) => !kept.has(key));
      const all = [
        ...[...kept].flatMap(([key, versions]) => versions.map((version) => ({ key, ...version }))),
        ...unknown.map(({ key }) => ({ key, id: "null", isMarker: false })),
      ].filter(({ key }) => key.startsWith(prefix));
      const [afterKey, afterId] = [parameters.get("key-marker"), parameters.get("version-id-marker")];
      const start = all.findIndex(({ key, id }) => key === afterKey && id === afterId) + 1;
      const page = all.slice(start, start + pageSize);
      const isTruncated = start + page.length < all.length;
      return `<?xml version="1.0" encoding="UTF-8"?>\n<ListVersionsResult><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? next(page.at(-1)!) : ""}${page.map(xml).join("")}</ListVersionsResult>`;
    },
  };
}

function xml({ key, id, isMarker }: Version & { key: string }): string {
  const name = isMarker ? "DeleteMarker" : "Version";
  return `<${name}><Key>${key}</Key><VersionId>${id}</VersionId></${name}>`;
}

function next({ key, id }: Version & { key: string }): string {
  return `<NextKeyMarker>${key}</NextKeyMarker><NextVersionIdMarker>${id}</NextVersionIdMarker>`;
}
