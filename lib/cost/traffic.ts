import { assumptions as given } from "./assumptions.ts";
import { daysAMonth, hoursAMonth, type DeploymentSize } from "./deployment-size.ts";

const payloadUnitBytes = 25 * 1024;
const shardBytesASecond = 1024 * 1024;
const shardRecordsASecond = 1000;
/** Lambda takes 6 MB of base64 in one call. */
const callBytes = 4.5 * 1024 * 1024;
/** On-demand streams begin with this many shards. */
const onDemandShards = 4;

/** What a month of orders makes of stream and landing. */
export interface Traffic {
  events: number;
  shards: number;
  eventsPerRecord: number;
  recordBytes: number;
  records: number;
  /** Calls of LandRecords, each of which writes one bronze object. */
  landings: number;
  openHours: number;
  /** Shards that the busiest minute needs, where that is more than the template has. */
  shardsWanted: number;
}

/** Events, records and landings of a month. `eventsPerRecord` 1 and a `windowSeconds` of one's own describe another design. */
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

/** Events that share a record: the one that opens the batch, and those that come while it lingers. */
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

/** Runs of a workflow in a month. */
export interface Runs {
  refining: number;
  publishing: number;
  receipts: number;
  backups: number;
  /** Calls of StartWorkflow. */
  starts: number;
}

/** A schedule starts a run where something came since the last one, and once in each hour all the same. */
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

/** Units of 25 kB that Kinesis bills for one record. */
export function payloadUnits(bytes: number): number {
  return Math.ceil(bytes / payloadUnitBytes);
}
