import { loadCatalog } from "../adapters/project-files.ts";
import { createHandler } from "../handlers/create-handler.ts";
import { once } from "../handlers/once.ts";
import { openCustomerKey } from "../handlers/open-customer-key.ts";
import { openLake } from "../handlers/open-lake.ts";
import { refineSilver, type RefineOptions } from "./refine-silver.ts";
import { orderStream } from "./tables.ts";

const openRefinery = once(async () => ({
  ...openLake(),
  stream: orderStream,
  catalog: loadCatalog(),
  customerKey: await openCustomerKey(),
}));

/** Takes bronze objects into silver, in one commit. */
export const handler = createHandler(
  async ({ sweep }: Required<Pick<RefineOptions, "sweep">>) => await refineSilver(await openRefinery(), { sweep }),
  ({ events, accepted, lines, quarantined }) => ({
    RefinedEvents: events,
    AcceptedOrders: accepted,
    OrderLines: lines,
    QuarantinedEvents: quarantined,
  }),
);
