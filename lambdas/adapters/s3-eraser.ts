import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Eraser } from "../ports.ts";
import { sharedS3Client } from "./s3-client.ts";
import { explainS3 } from "./s3-errors.ts";

/** Removes objects of a bucket with every version of theirs, and the marks of earlier deletions. */
export function openS3Eraser({ bucket, client }: { bucket: string; client?: S3Client }): Eraser {
  const s3 = () => client ?? sharedS3Client();

  async function versionsOf(key: string): Promise<string[]> {
    const versions: string[] = [];
    let page: ListObjectVersionsCommandOutput | undefined;
    do {
      const from = page && { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      page = await s3().send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...from }));
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      versions.push(
        ...found.flatMap(({ Key, VersionId }) => (Key === key && VersionId !== undefined ? [VersionId] : [])),
      );
    } while (page.IsTruncated === true);
    return versions;
  }

  return {
    async erase(key) {
      try {
        for (const VersionId of await versionsOf(key)) {
          await s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId }));
        }
      } catch (error) {
        throw explainS3(error, bucket, "erase", key);
      }
    },
  };
}
