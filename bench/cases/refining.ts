import { openBusyChain, prepareBusyChain } from "../busy-chain.ts";
import type { Case } from "../case.ts";
import { openClassicYear, prepareClassicYear } from "../classic-year.ts";
import { refineAllOfIt, refiningRunners } from "../refining-runners.ts";

const refining: Case = {
  title: "refining: bronze objects -> commits of silver, a busy chain of about 25,000 lines a day",
  unit: "order lines",
  prepare: prepareBusyChain,
  variants: {
    ...refiningRunners(openBusyChain, "refining"),
    "batches, in memory, all lines": refineAllOfIt(openBusyChain),
  },
};

export const refiningClassic: Case = {
  title: "refining the classic year: 358 days of about 136 lines each",
  unit: "order lines",
  prepare: prepareClassicYear,
  variants: refiningRunners(openClassicYear, "refining-classic"),
};

export default refining;
