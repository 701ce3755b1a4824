import type { Case } from "../case.ts";
import { openClassicYear, prepareClassicYear } from "../classic-year.ts";
import { refiningRunners } from "../refining-runners.ts";

const refiningClassic: Case = {
  title: "refining the classic year: 358 days of about 136 lines each",
  unit: "order lines",
  prepare: prepareClassicYear,
  variants: refiningRunners(openClassicYear, "refining-classic"),
};

export default refiningClassic;
