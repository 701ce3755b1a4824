import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";
import type { Usage } from "./price-table.ts";
import type { Runs, Traffic } from "./traffic.ts";
import type { Calls } from "./usage.ts";


/** Capacity, storage and requests of the database; nothing where there is none. */
export function warehouseUsage(
  { aurora }: DeploymentSize,
  { traffic, runs, calls, ordersPerDay }: { traffic: Traffic; runs: Runs; calls: Calls; ordersPerDay: number },
): Usage {
  if (aurora === undefined) return {};
  const busyHours = (calls["PublishWindows"]! + calls["PublishCustomers"]!) * (given.busySecondsPerRun / 3600);
  const awake = awakeHours(aurora, { traffic, runs });
  const acuHours = awake * Math.max(0.5, aurora.minAcu) + busyHours * given.busyAcu;
  const rowsGb = (ordersPerDay * daysAMonth * given.monthsKept * given.goldBytesPerOrder) / 1e9;
  const requests =
    (runs.publishing + runs.receipts * 3) * given.dataApiRequestsPerRun +
    calls["PublishWindows"]! * given.dataApiRequestsPerBatch +
    runs.backups * ((2 * rowsGb * 1e9) / given.backupBytesPerRequest);
  return {
    "aurora-acu-hours": acuHours * aurora.instances,
    "aurora-gb-months": given.goldBaseGb + rowsGb,
    // Each snapshot counts in full; that they share what has not changed is left out of account.
    "aurora-backup-gb-months": (runs.backups / daysAMonth) * given.snapshotDays * (given.goldBaseGb + rowsGb),
    "aurora-export-gb": runs.backups * (given.goldBaseGb + rowsGb),
    "aurora-ios": runs.publishing * given.iosPerRun,
    "data-api-requests": requests,
  };
}

/** Hours in which the database does not pause: from each run's question until it was idle for its time. */
function awakeHours(
  { minAcu, autoPauseSeconds }: NonNullable<DeploymentSize["aurora"]>,
  { traffic, runs }: { traffic: Traffic; runs: Runs },
): number {
  if (minAcu > 0 || autoPauseSeconds === 0) return hoursAMonth;
  const hoursPerRun = (autoPauseSeconds + 30) / 3600;
  const closedHours = hoursAMonth - traffic.openHours;
  // While the stores are closed one run an hour asks; while they are open the others are spread evenly.
  const whileClosed = closedHours * Math.min(1, hoursPerRun);
  const perOpenHour = Math.max(1, (runs.publishing - closedHours) / traffic.openHours);
  return whileClosed + traffic.openHours * Math.min(1, perOpenHour * hoursPerRun);
}
