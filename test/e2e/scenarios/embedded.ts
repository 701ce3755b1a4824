import { setTimeout as sleep } from "node:timers/promises";
import { connectHome } from "../../../local/home-client.ts";
import { homeFolder, runningProcess } from "../../../local/home-folder.ts";
import { connectionString, readCredentials } from "../../../local/postgres-credentials.ts";
import { pizza, temporaryHome } from "../home-fixture.ts";
import { breakPublishing, send, type HomeUnderTest } from "./home-under-test.ts";

/** When the home is killed after its stream has the events, milliseconds. */
const killedAfterMs = { LandRecords: 50, RefineSilver: 250, PublishWindows: 500 };

/** An embedded home in a process of its own. */
export async function openEmbedded(): Promise<HomeUnderTest> {
  const { dir, remove } = temporaryHome();
  const folder = homeFolder(dir);
  await start();
  const home = connectHome(folder);

  async function start(): Promise<void> {
    const { code, stderr } = await pizza(dir, "start");
    if (code !== 0) throw new Error(`pizza start failed: ${stderr}`);
  }

  return {
    home,
    customerSecret: process.env["PIZZA_CUSTOMER_SECRET"]!,
    /** All functions run in the home's own process: that is what is killed. */
    async deliverKilling(name, events) {
      await send(home, events);
      const drained = home.drain().catch(() => undefined);
      await sleep(killedAfterMs[name]);
      process.kill(runningProcess(folder)!.pid, "SIGKILL");
      await drained;
      await start();
      await home.drain();
      return 1;
    },
    breakPublishing: async () =>
      await breakPublishing(connectionString((await readCredentials(folder.postgres))!, "owner")),
    async close() {
      await pizza(dir, "stop");
      remove();
    },
  };
}
