import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ask, poll, type Feed, type Live, type Rates } from "../client.ts";
import { age, byteSize, centsOf, count, counted, dollars, duration } from "../format.ts";
import { Coin, Failure, Glyph, Icon, Loading, Section, Tick, Verdict, type Mood } from "../parts.tsx";

/** The name that the receipt gives to a missing number of a till. */
const gapInvariant = "no gap in a till's numbers";

/** From the tills to gold, as it is now. */
export function PipelineScreen({ feed }: { feed: Feed }) {
  const { live } = feed;
  if (live === undefined) return <Loading rows={9} />;
  const isMoving = feed.state === "live" && feed.rates.slice(-3).some(({ records, orders }) => records + orders > 0);
  return (
    <>
      <Summary live={live} />
      <Belt live={live} rates={feed.rates} isMoving={isMoving} />
      <div class="split two-a">
        <RecentRuns live={live} />
        <Health live={live} />
      </div>
    </>
  );
}

function Summary({ live }: { live: Live }) {
  const [error, setError] = useState<Error>();
  const { newest, runningSince } = live.receipt;
  const { totals, status } = live;
  const rejected = status.quarantine.events;
  const check = () => {
    setError(undefined);
    ask("verify", {})
      .catch(setError)
      .finally(() => void poll());
    setTimeout(() => void poll(), 100);
  };
  return (
    <>
      <Verdict
        title={sentence(live)}
        actions={
          <button class="btn primary" type="button" disabled={runningSince !== undefined} onClick={check}>
            <Icon name="receipt" size={14} />
            {runningSince !== undefined ? "Checking…" : newest === undefined ? "Check every record" : "Check again"}
          </button>
        }
      >
        {count(totals.orders)} orders sold for {dollars(centsOf(totals.revenue))}.{" "}
        {rejected > 0 && (
          <>
            <a class="link" href="/console/quarantine">
              {counted(rejected, "rejected event")}
            </a>{" "}
            {rejected === 1 ? "is" : "are"} in quarantine.{" "}
          </>
        )}
        {isStuck(live) ? "" : "Nothing is stuck."}
      </Verdict>
      {error !== undefined && <Failure error={error} again={check} />}
    </>
  );
}

function isStuck({ status: { stream, landing, setAside, silver, gold } }: Live): boolean {
  return (
    stream.shardsBehind > 0 ||
    landing.onFailureRecords > 0 ||
    setAside.length > 0 ||
    gold.silverVersion < silver.version
  );
}

function sentence(live: Live): string {
  const { receipt, status, totals } = live;
  const { newest, runningSince } = receipt;
  if (totals.orders === 0 && (status.stream.records ?? 0) === 0) return "No orders yet";
  if (runningSince !== undefined) return "Every record is being checked, from the stream to gold";
  if (newest === undefined) return `${count(totals.orders)} orders are in gold; no receipt has checked them yet`;
  const { findings, records } = newest.receipt;
  if (findings.length > 0) return `The receipt does not balance: ${counted(findings.length, "finding")}`;
  const since = (status.stream.records ?? 0) - records.sent;
  if (since > 0) return `Balanced ${age(Date.parse(newest.checkedAt))}; ${counted(since, "record")} came since`;
  return "Every order is in the numbers, to the cent";
}

function Belt({ live, rates, isMoving }: { live: Live; rates: Rates[]; isMoving: boolean }) {
  const { status, totals, receipt } = live;
  const { stream, landing, silver, gold, quarantine, setAside, freshness } = status;
  const newest = receipt.newest?.receipt;
  const [refine, publish] = ["bronze_to_silver", "silver_to_gold"].map((name) =>
    status.workflows.find(({ workflow }) => workflow === name),
  );
  const notLanded = stream.shardsBehind > 0;
  const unpublished = Math.max(0, silver.version - gold.silverVersion);
  return (
    <section class="belt" aria-label="From the tills to gold">
      <Stage
        pocket={
          newest === undefined ? (
            <Pocket>Not counted yet</Pocket>
          ) : (
            <Pocket alarm={newest.findings.some(({ invariant }) => invariant === gapInvariant)}>
              {newest.findings.some(({ invariant }) => invariant === gapInvariant)
                ? "a number is missing"
                : "No number is missing"}
            </Pocket>
          )
        }
      >
        <Station
          icon={<Icon name="till" />}
          name="Tills"
          figure={rates.length === 0 ? "—" : rates.at(-1)!.records.toFixed(1)}
          unit="records a second"
          chart={<Spark values={rates.map(({ records }) => records)} />}
          caption="records/s"
          facts={[
            ["Tills", newest === undefined ? "not known" : count(newest.producers)],
            ["Events", newest === undefined ? "not known" : count(newest.events.distinct)],
            ["As of", receipt.newest === undefined ? "no receipt" : age(Date.parse(receipt.newest.checkedAt))],
          ]}
          href="/console/receipt"
        />
      </Stage>
      <Hand verb="send" isMoving={isMoving} how={["kept on", "disk first"]} />
      <Stage
        pocket={
          <Pocket alarm={notLanded}>
            {notLanded ? `${counted(stream.shardsBehind, "shard")} behind` : "0 records wait to land"}
          </Pocket>
        }
      >
        <Station
          icon={<Icon name="stream" />}
          name="Stream"
          figure={stream.records === undefined ? "—" : count(stream.records)}
          unit="records, all on disk"
          chart={<Spark values={rates.map(({ bytes }) => bytes)} />}
          caption="bytes/s"
          facts={[
            ["Shards", count(stream.shards)],
            ["Size", stream.bytes === undefined ? "not known" : byteSize(stream.bytes)],
            ["Behind", notLanded ? counted(stream.shardsBehind, "shard") : "none"],
          ]}
          href="/console/receipt"
        />
      </Stage>
      <Hand
        verb="land"
        isMoving={isMoving}
        how={[`${count(landing.invocations ?? 0)} times`, `${count(landing.errors ?? 0)} failed`]}
      />
      <Stage
        pocket={
          setAside.length > 0 ? (
            <Pocket alarm href="/console/runs">
              {counted(setAside.length, "object")} set aside
            </Pocket>
          ) : (
            <Pocket alarm={landing.onFailureRecords > 0}>
              {counted(landing.onFailureRecords, "record")} in the on-failure store
            </Pocket>
          )
        }
      >
        <Station
          icon={<Coin metal="bronze" />}
          name="Bronze"
          figure={newest === undefined ? (notLanded ? "—" : count(stream.records ?? 0)) : count(newest.records.landed)}
          unit="records, untouched"
          chart={<Spark values={rates.map(({ landings }) => landings)} />}
          caption="landings/s"
          facts={[
            ["Twice", newest === undefined ? "not known" : count(newest.records.transportDuplicates)],
            ["Set aside", count(setAside.length)],
            ["Format", "Parquet"],
          ]}
          href="/console/receipt"
        />
      </Stage>
      <Hand verb="refine" isMoving={isMoving} how={lastRun(refine)} href="/console/runs?workflow=bronze_to_silver" />
      <Stage
        pocket={
          <Pocket alarm={quarantine.events > 0} href="/console/quarantine">
            {quarantine.events > 0 ? `${count(quarantine.events)} rejected` : "0 rejected"}
          </Pocket>
        }
      >
        <Station
          icon={<Coin metal="silver" />}
          name="Silver"
          figure={count(silver.lines)}
          unit="order lines, once"
          chart={<Spark values={rates.map(({ lines }) => lines)} />}
          caption="lines/s"
          facts={[
            ["Version", count(silver.version)],
            ["Days", count(silver.days)],
            ["Files", count(silver.files)],
          ]}
          href="/console/query?lake=1"
        />
      </Stage>
      <Hand verb="publish" isMoving={isMoving} how={lastRun(publish)} href="/console/runs?workflow=silver_to_gold" />
      <Stage
        pocket={
          <Pocket alarm={unpublished > 0}>
            {unpublished > 0 ? `${counted(unpublished, "version")} not published` : "0 versions wait"}
          </Pocket>
        }
      >
        <Station
          icon={<Coin metal="gold" />}
          name="Gold"
          figure={count(totals.orders)}
          unit="orders in 10 tables"
          chart={<Spark values={rates.map(({ orders }) => orders)} />}
          caption="orders/s"
          facts={[
            ["Of silver", `version ${count(gold.silverVersion)}`],
            ["Median", freshness === null ? "not known" : `${freshness.medianSeconds} s`],
            ["95 % in", freshness === null ? "not known" : `${freshness.p95Seconds} s`],
          ]}
          href="/console/sales"
        />
      </Stage>
      <Thread live={live} />
    </section>
  );
}

function lastRun(run: { milliseconds: number; startedAt: string } | undefined): [string, string] {
  return run === undefined ? ["no run", "yet"] : [duration(run.milliseconds), age(Date.parse(run.startedAt))];
}

function Stage({ children, pocket }: { children: ComponentChildren; pocket: ComponentChildren }) {
  return (
    <div class="stage">
      {children}
      {pocket}
    </div>
  );
}

function Station(station: {
  icon: ComponentChildren;
  name: string;
  figure: string;
  unit: string;
  chart: ComponentChildren;
  caption: string;
  facts: [string, string][];
  href: string;
}) {
  return (
    <a class="station" href={station.href}>
      <div class="station-head">
        {station.icon}
        {station.name}
      </div>
      <div class="fig">{station.figure}</div>
      <div class="unit">{station.unit}</div>
      {station.chart}
      <div class="cap">{station.caption}</div>
      <ul class="facts">
        {station.facts.map(([name, value]) => (
          <li key={name}>
            <span class="k">{name}</span>
            <span>{value}</span>
          </li>
        ))}
      </ul>
    </a>
  );
}

function Spark({ values }: { values: readonly number[] }) {
  const [width, height] = [118, 24];
  const most = Math.max(...values, 1);
  const points = values.map(
    (value, index) => `${(width * index) / Math.max(1, values.length - 1)} ${height - (height - 2) * (value / most)}`,
  );
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path class="axis-l" d={`M0 ${height}H${width}`} />
      {points.length > 1 && <path class="l-sub" d={`M${points.join("L")}`} />}
    </svg>
  );
}

function Hand({
  verb,
  how,
  href,
  isMoving,
}: {
  verb: string;
  how: [string, string];
  href?: string;
  isMoving: boolean;
}) {
  const text = (
    <>
      {how[0]} <br />
      {how[1]}
    </>
  );
  return (
    <div class="hand">
      <span class="verb">{verb}</span>
      <svg width="76" height="26" viewBox="0 0 76 26" aria-hidden="true">
        <path class={`flow ${isMoving ? "flow-live" : ""}`} d="M4 13H66" />
        <path class="flow-tip" d="M64 8.5 72 13 64 17.5Z" />
      </svg>
      {href === undefined ? (
        <span class="how">{text}</span>
      ) : (
        <a class="how" href={href}>
          {text}
        </a>
      )}
    </div>
  );
}

function Pocket({ alarm = false, href, children }: { alarm?: boolean; href?: string; children: ComponentChildren }) {
  const body = (
    <>
      {alarm ? <Glyph mood="warn" /> : <Tick />}
      <span>{children}</span>
    </>
  );
  if (href !== undefined && alarm)
    return (
      <a class="pocket some" href={href}>
        {body}
      </a>
    );
  return <div class={`pocket ${alarm ? "some" : ""}`}>{body}</div>;
}

/** The money of bronze, silver and gold, as the newest receipt computed it. */
function Thread({ live: { receipt } }: { live: Live }) {
  const { newest } = receipt;
  if (newest === undefined)
    return (
      <a class="thread" href="/console/receipt">
        <span class="why">
          <b>The money of each layer is not compared yet.</b> A receipt adds it up from the bytes.
        </span>
      </a>
    );
  const { expected, silver, gold } = newest.receipt;
  const isSame = expected.cents === silver.cents && silver.cents === gold.cents;
  return (
    <a class="thread" href="/console/receipt">
      <span class="why">
        <b>{isSame ? "The same money in every layer." : "The layers differ."}</b> Added up from the bytes,{" "}
        {age(Date.parse(newest.checkedAt))}.
      </span>
      <span class="sum">
        <i>Bronze</i>
        {dollars(expected.cents)}
      </span>
      <Equals isEqual={expected.cents === silver.cents} />
      <span class="sum">
        <i>Silver</i>
        {dollars(silver.cents)}
      </span>
      <Equals isEqual={silver.cents === gold.cents} />
      <span class="sum">
        <i>Gold</i>
        {dollars(gold.cents)}
      </span>
    </a>
  );
}

function Equals({ isEqual }: { isEqual: boolean }) {
  return (
    <span class={`eq ${isEqual ? "" : "bad"}`} role="img" aria-label={isEqual ? "equals" : "differs from"}>
      {isEqual ? "=" : "≠"}
    </span>
  );
}

/** A workflow in the words of the console. */
export function workflowName(workflow: string): string {
  const names: Record<string, string> = {
    bronze_to_silver: "Refine",
    silver_to_gold: "Publish",
    data_quality: "Check quality",
    backup: "Back up",
    rebuild: "Rebuild",
  };
  return names[workflow] ?? workflow;
}

function RecentRuns({ live }: { live: Live }) {
  const runs = live.status.workflows
    .flatMap(({ workflow, earlier, ...last }) => [last, ...earlier].map((run) => ({ workflow, ...run })))
    .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .slice(0, 8);
  const longest = Math.max(...runs.map(({ milliseconds }) => milliseconds), 1);
  return (
    <Section
      title="Recent runs"
      note="that had work to do"
      aside={
        <a class="link" href="/console/runs">
          All runs
        </a>
      }
    >
      {runs.length === 0 ? (
        <p class="mid">No run had work to do yet.</p>
      ) : (
        <table class="t">
          <thead class="hidden">
            <tr>
              <th>Run</th>
              <th>Share</th>
              <th class="n">Took</th>
              <th class="n">Began</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.workflow + run.startedAt}>
                <td>
                  <a class="st" href={`/console/runs?workflow=${run.workflow}`}>
                    <Glyph mood={run.error === undefined ? "ok" : "bad"} />
                    <span class="strong-m">{workflowName(run.workflow)}</span>
                    <span class="dim hide-n">{run.error === undefined ? run.workflow : "failed"}</span>
                  </a>
                </td>
                <td class="hide-n">
                  <svg width="96" height="8" aria-hidden="true">
                    <rect class="b-ctx" width={Math.max(2, (96 * run.milliseconds) / longest)} height="8" />
                  </svg>
                </td>
                <td class="n">{duration(run.milliseconds)}</td>
                <td class="n dim">{age(Date.parse(run.startedAt))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Health({ live }: { live: Live }) {
  const { status } = live;
  const { quality, freshness, setAside } = status;
  const backup = status.workflows.find(({ workflow }) => workflow === "backup");
  const rejected = status.quarantine.events;
  const failed = status.workflows.filter(({ error }) => error !== undefined);
  return (
    <Section title="Health" note="what needs you first">
      {setAside.map(({ key }) => (
        <Alert key={key} mood="bad" title="A bronze object is set aside" href="/console/runs" link="Runs">
          No run reads {key.split("/").at(-1)}
        </Alert>
      ))}
      {failed.map(({ workflow, error }) => (
        <Alert key={workflow} mood="bad" title={`${workflowName(workflow)} failed`} href="/console/runs" link="Runs">
          {error}
        </Alert>
      ))}
      {rejected > 0 ? (
        <Alert
          mood="warn"
          title={`${counted(rejected, "event")} ${rejected === 1 ? "was" : "were"} rejected`}
          href="/console/quarantine"
          link="Repair"
        >
          kept with every byte, and in no sum until resolved
        </Alert>
      ) : (
        <Alert mood="ok" title="No event was rejected">
          the quarantine is empty
        </Alert>
      )}
      {quality === null ? (
        <Alert mood="idle" title="Quality is not checked yet" href="/console/quality" link="Rules">
          the rules run once a day
        </Alert>
      ) : (
        <Alert
          mood={quality.errors.length > 0 ? "bad" : quality.warnings.length > 0 ? "warn" : "ok"}
          title={
            quality.errors.length + quality.warnings.length === 0
              ? `${quality.rules} quality rules are green`
              : `${counted(quality.errors.length + quality.warnings.length, "quality rule")} red`
          }
          href="/console/quality"
          link="Rules"
        >
          checked {age(Date.parse(quality.checkedAt))} {[...quality.errors, ...quality.warnings].join(", ")}
        </Alert>
      )}
      {freshness !== null && (
        <Alert mood="ok" title={`${counted(freshness.orders, "order")} visible in ${freshness.medianSeconds} s`}>
          95 of 100 within {freshness.p95Seconds} s of the till, in the newest five minutes with orders
        </Alert>
      )}
      <Alert
        mood={status.gold.corrections > 0 ? "idle" : "ok"}
        title={
          status.gold.corrections > 0
            ? `${counted(status.gold.corrections, "correction")} of reported numbers`
            : "No reported number changed"
        }
        href="/console/corrections"
        link="See what changed"
      >
        late, amended and cancelled orders change what was reported
      </Alert>
      <Alert
        mood={backup === undefined ? "idle" : backup.error === undefined ? "ok" : "bad"}
        title={backup === undefined ? "No backup yet" : `Backed up ${age(Date.parse(backup.startedAt))}`}
        href="/console/backups"
        link="Backups"
      >
        gold and the ledgers, verified by a test restore
      </Alert>
    </Section>
  );
}

function Alert({
  mood,
  title,
  href,
  link,
  children,
}: {
  mood: Mood;
  title: string;
  href?: string;
  link?: string;
  children: ComponentChildren;
}) {
  return (
    <div class="alert">
      <Glyph mood={mood} />
      <div>
        <span class="strong-m">{title}</span>
        <p>{children}</p>
      </div>
      {href !== undefined && (
        <a class="link" href={href}>
          {link}
        </a>
      )}
    </div>
  );
}
