import type { ObjectStore } from "../../lambdas/ports.ts";

interface Version {
  id: string;
  isMarker: boolean;
}

/** The versions that a versioned bucket keeps of each key beside its present object; bodies of earlier ones are not kept. */
export function createVersions() {
  const kept = new Map<string, Version[]>();
  let made = 0;

  const note = (key: string, isMarker: boolean): void => {
    kept.set(key, [{ id: `v${++made}`, isMarker }, ...(kept.get(key) ?? [])]);
  };

  return {
    notePut: (key: string) => note(key, false),
    noteDelete: (key: string) => note(key, true),
    /** Removes one version for good. */
    async remove(store: ObjectStore, key: string, id: string): Promise<void> {
      const [newest] = kept.get(key) ?? [];
      const left = (kept.get(key) ?? []).filter((version) => version.id !== id);
      if (left.length === 0) kept.delete(key);
      else kept.set(key, left);
      if (newest === undefined || newest.id === id) await store.delete(key);
    },
    /** ListObjectVersions: what was put past the server has the version `null`. */
    async list(store: ObjectStore, prefix: string): Promise<string> {
      const unknown = (await store.list(prefix)).filter(({ key }) => !kept.has(key));
      const all = [...kept].filter(([key]) => key.startsWith(prefix));
      const entries = [
        ...all.flatMap(([key, versions]) => versions.map((version) => xml(key, version))),
        ...unknown.map(({ key }) => xml(key, { id: "null", isMarker: false })),
      ];
      return `<?xml version="1.0" encoding="UTF-8"?>\n<ListVersionsResult><IsTruncated>false</IsTruncated>${entries.join("")}</ListVersionsResult>`;
    },
  };
}

function xml(key: string, { id, isMarker }: Version): string {
  const name = isMarker ? "DeleteMarker" : "Version";
  return `<${name}><Key>${key}</Key><VersionId>${id}</VersionId></${name}>`;
}
