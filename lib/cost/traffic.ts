import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";

const payloadUnitBytes = 25 * 1024;
const shardBytesASecond = 1024 * 1024;
const shardRecordsASecond = 1000;
/** Lambda's payload limit is 6 MB of base64. */
const callBytes = 4.5 * 1024 * 1024;
/** Initial number of shards of an on-demand stream. */
const onDemandShards = 4;

/** Monthly traffic of stream and landing. */
export interface Traffic {
  events: number;
  shards: number;
  eventsPerRecord: number;
  recordBytes: number;
  records: number;
  /** Invocations of LandRecords; each writes one bronze object. */
  landings: number;
  openHours: number;
  /** Shards that the busiest minute needs. */
  shardsWanted: number;
}

/** Events, records and landings per month. Without `isBatched`, each record has one event, as in the naive design. */
export function trafficOf(
  { stream, landing }: Pick<DeploymentSize, "stream" | "landing">,
  ordersPerDay: number,
  { isBatched = true }: { isBatched?: boolean } = {},
): Traffic {
  const openHours = given.openHoursADay * daysAMonth;
  const events = ordersPerDay * daysAMonth * given.eventsPerOrder;
  const rate = events / (openHours * 3600);
  const build = (shards: number) => {
    const eventsPerRecord = isBatched ? batchOf(rate / shards) : 1;
    const recordBytes = isBatched ? given.batchFirstBytes + given.batchNextBytes * eventsPerRecord : given.eventBytes;
    return { shards, eventsPerRecord, recordBytes, records: events / eventsPerRecord };
  };
  const bought = stream.shards === "on-demand" ? onDemandShards : stream.shards;
  const shardsWanted = shardsFor(build(bought), rate);
  const built = build(stream.shards === "on-demand" ? Math.max(bought, shardsWanted) : bought);
  const recordRate = built.records / (openHours * 3600) / built.shards;
  const mostRecords = Math.max(1, Math.min(landing.batchRecords, callBytes / built.recordBytes));
  const recordsPerLanding = Math.min(mostRecords, 1 + recordRate * landing.windowSeconds);
  return { events, ...built, landings: built.records / recordsPerLanding, openHours, shardsWanted };
}

/** Events per record: the one that opens the batch, and those that arrive during its linger time. */
function batchOf(ratePerShard: number): number {
  return Math.min(given.batchBytes / given.eventBytes, 1 + ratePerShard * given.lingerSeconds);
}

function shardsFor(
  { eventsPerRecord, recordBytes }: { eventsPerRecord: number; recordBytes: number },
  rate: number,
): number {
  const records = (rate * given.peakFactor) / eventsPerRecord;
  return Math.max(1, Math.ceil((records * recordBytes) / shardBytesASecond), Math.ceil(records / shardRecordsASecond));
}

/** Workflow runs per month. */
export interface Runs {
  refining: number;
  publishing: number;
  receipts: number;
  backups: number;
  /** Invocations of StartWorkflow. */
  starts: number;
}

/** A schedule starts a run if there is new data since the last one, and once per hour in any case. */
export function runsOf({ starts }: Pick<DeploymentSize, "starts">, { landings, openHours }: Traffic): Runs {
  const withWork = (workflow: string) => {
    const monthly = starts[workflow] ?? 0;
    const whileOpen = (monthly * openHours) / hoursAMonth;
    const expected = whileOpen === 0 ? 0 : landings / whileOpen;
    return Math.min(monthly, whileOpen * (1 - Math.exp(-expected)) + hoursAMonth);
  };
  return {
    refining: withWork("bronze_to_silver"),
    publishing: withWork("silver_to_gold"),
    receipts: starts["data_quality"] ?? 0,
    backups: starts["backup"] ?? 0,
    starts: Object.values(starts).reduce((sum, monthly) => sum + monthly, 0),
  };
}

/** PUT payload units of 25 KB that Kinesis bills for one record. */
export function payloadUnits(bytes: number): number {
  return Math.ceil(bytes / payloadUnitBytes);
}
