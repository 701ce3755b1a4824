import { connectPipeline } from "../../../targets/local/control-client.ts";
import { dataDirectory, runningProcess } from "../../../targets/local/data-directory.ts";
import { connectionString, readCredentials } from "../../../targets/local/postgres-credentials.ts";
import { pizza, temporaryPipeline } from "../command-line-fixture.ts";
import { breakPublishing, send, type PipelineUnderTest } from "./target-under-test.ts";
import { killInTheMiddle } from "./kill-pipeline.ts";
import { prepareLocalPipeline } from "../../support/prepared-postgres.ts";

/** Orders are sent in up to that many parts, until a kill has hit the processing of one. */
const parts = 5;

/** A local pipeline in a separate process. */
export async function openEmbedded(): Promise<PipelineUnderTest> {
  const { dir, remove } = temporaryPipeline();
  const folder = dataDirectory(dir);
  await prepareLocalPipeline(dir);
  await start();
  const pipeline = connectPipeline(folder);

  async function start(): Promise<void> {
    const { code, stderr } = await pizza(dir, "start");
    if (code !== 0) throw new Error(`./pizza start failed: ${stderr}`);
  }

  const owner = async () => connectionString((await readCredentials(folder.postgres))!, "owner");
  return {
    pipeline,
    customerSecret: process.env["PIZZA_CUSTOMER_SECRET"]!,
    /** All functions run in the pipeline's process, which is killed. */
    async deliverKilling(name, events) {
      const all = [...events];
      let hits = 0;
      for (let part = 0; part < parts && all.length > 0; part++) {
        const isLast = hits > 0 || part === parts - 1;
        const some = all.splice(0, isLast ? all.length : Math.ceil(all.length / (parts - part)));
        if (hits > 0) await send(pipeline, some);
        else {
          const { pid } = runningProcess(folder)!;
          const delivery = { send: () => send(pipeline, some), drain: () => pipeline.drain() };
          if (await killInTheMiddle(name, { folder, databaseUrl: await owner(), pid, ...delivery })) hits += 1;
          await start();
        }
        await pipeline.drain();
      }
      return hits;
    },
    breakPublishing: async () => await breakPublishing(await owner()),
    async close() {
      await pizza(dir, "stop");
      remove();
    },
  };
}
