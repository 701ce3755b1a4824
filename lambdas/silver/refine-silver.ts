import { loadCatalog } from "../../adapters/project-files.ts";
import { openCustomerKey } from "../../adapters/secrets.ts";
import { refineSilver, type RefineOptions } from "../../pipeline/silver/refine-silver.ts";
import { orderStream } from "../../pipeline/silver/tables.ts";
import { createHandler, lazy } from "../runtime/create-handler.ts";
import { openLake } from "../runtime/resources.ts";
import { setting } from "../runtime/settings.ts";

const openRefinery = lazy(async () => ({
  ...openLake(),
  stream: orderStream,
  catalog: loadCatalog(),
  customerKey: await openCustomerKey(setting("CUSTOMER_KEY_SECRET_ARN")),
}));

/** Refines bronze objects into silver in one commit. */
export const handler = createHandler(
  async ({ sweep }: Required<Pick<RefineOptions, "sweep">>, { until }) =>
    await refineSilver(await openRefinery(), { sweep, until }),
  ({ events, accepted, lines, quarantined, setAsideObjects }) => ({
    RefinedEvents: events,
    AcceptedOrders: accepted,
    OrderLines: lines,
    QuarantinedEvents: quarantined,
    SetAsideObjects: setAsideObjects,
  }),
);
