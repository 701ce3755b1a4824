import { ask, askConfirmed, gold, poll, useAnswer } from "../client.ts";
import { age, byteSize, count, counted, day, dollars, moment, words } from "../format.ts";
import { cellHref, goldKeys, showCell, showKey } from "../gold.ts";
import { Confirmed, Empty, Failure, Glyph, Loading, Section, Verdict } from "../parts.tsx";

interface RuleResult {
  rule: string;
  kind: string;
  severity: string;
  is_red: boolean;
  offenders: string;
  threshold: string;
  examples: string;
  checked_at: string;
}

const qualitySql = `select rule, kind, severity, is_red, offenders::text as offenders, threshold::text as threshold,
    examples::text as examples, to_char(checked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as checked_at
  from ops.data_quality_results
  where checked_at = (select max(checked_at) from ops.data_quality_results)
  order by is_red desc, severity, rule`;

/** The quality rules as the newest run of data_quality found them. */
export function QualityScreen() {
  const { result, error, again } = useAnswer("quality", () => gold<RuleResult>(qualitySql));
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading />;
  const red = result.filter(({ is_red }) => is_red);
  const check = (
    <Confirmed
      primary
      label="Check now"
      question="Run data_quality: the receipt and every rule"
      act={async () => {
        await askConfirmed("run", { workflow: "data_quality" });
        again();
        void poll();
      }}
    />
  );
  if (result.length === 0)
    return (
      <>
        <Verdict title="Quality is not checked yet" actions={check}>
          The workflow data_quality runs once a day.
        </Verdict>
        <Empty title="No result is stored">
          <p>A run checks every rule, and stores what it finds.</p>
        </Empty>
      </>
    );
  return (
    <>
      <Verdict
        title={red.length === 0 ? `All ${result.length} rules are green` : `${counted(red.length, "rule")} red`}
        actions={check}
      >
        Checked {age(Date.parse(result[0]!.checked_at))}.
      </Verdict>
      <div class="scroll" tabIndex={0} role="region" aria-label="Rules">
        <table class="t">
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Looks at</th>
              <th scope="col">If red</th>
              <th scope="col" class="n">
                Offenders
              </th>
              <th scope="col" class="n">
                Allowed
              </th>
              <th scope="col">Such as</th>
            </tr>
          </thead>
          <tbody>
            {result.map((each) => (
              <tr key={each.rule}>
                <td>
                  <span class="st">
                    <Glyph mood={each.is_red ? (each.severity === "error" ? "bad" : "warn") : "ok"} />
                    <span class="strong-m">{words(each.rule)}</span>
                    <span class="hidden">{each.is_red ? "red" : "green"}</span>
                  </span>
                </td>
                <td class="mid">{each.kind}</td>
                <td class="mid">{each.severity === "error" ? "people are told" : "it shows"}</td>
                <td class={`n ${each.offenders === "0" ? "dim" : ""}`}>{count(Number(each.offenders))}</td>
                <td class="n dim">{count(Number(each.threshold))}</td>
                <td class="mid wrap">{(JSON.parse(each.examples) as string[]).slice(0, 2).join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Reported numbers that changed, and the orders behind the changes. */
export function CorrectionsScreen() {
  const { result, error, again } = useAnswer("corrections", () =>
    ask("corrections", { since: "2000-01-01T00:00:00.000Z" }),
  );
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading />;
  const { values, orders, daysWithoutOrders } = result;
  if (values.length === 0)
    return (
      <>
        <Verdict title="No reported number changed">
          A day is reported once it is over everywhere and nothing of it waits.
        </Verdict>
        <Empty title="Nothing to list">
          <p>
            An order that comes late, is amended or is cancelled afterwards changes a reported number, and is listed
            here.
          </p>
        </Empty>
      </>
    );
  return (
    <>
      <Verdict title={`${counted(values.length, "reported number")} changed`}>
        {counted(orders.length, "order")} came late, were amended or taken back.
        {daysWithoutOrders.length > 0 &&
          ` The orders of ${counted(daysWithoutOrders.length, "day")} can no longer be read.`}
      </Verdict>
      <div class="split two-b">
        <Section title="Numbers" note={values.length > 200 ? "the newest 200" : undefined}>
          <div class="scroll" tabIndex={0} role="region" aria-label="Numbers that changed">
            <table class="t">
              <thead>
                <tr>
                  <th scope="col">Number</th>
                  <th scope="col">Row</th>
                  <th scope="col" class="n">
                    Reported
                  </th>
                  <th scope="col" class="n">
                    Now
                  </th>
                </tr>
              </thead>
              <tbody>
                {values.slice(0, 200).map((value) => {
                  const table = value.table_name.replace("gold.", "");
                  const key = (goldKeys[table] ?? []).map((name) => String(value.key[name]));
                  return (
                    <tr key={`${table} ${key.join(" ")} ${value.column_name}`}>
                      <td>
                        {words(value.column_name)} <span class="dim">{table}</span>
                      </td>
                      <td class="mid">
                        {key.map((part, index) => showKey(goldKeys[table]![index]!, part)).join(", ")}
                      </td>
                      <td class="n dim">{showCell(value.column_name, value.first_reported)}</td>
                      <td class="n">
                        <a class="door" href={cellHref(table, key, value.column_name)}>
                          {showCell(value.column_name, value.now_known)}
                        </a>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </Section>
        <Section title="Orders" note="why the numbers changed">
          <table class="t">
            <thead>
              <tr>
                <th scope="col">Order</th>
                <th scope="col">Why</th>
                <th scope="col" class="n">
                  Change
                </th>
              </tr>
            </thead>
            <tbody>
              {orders.slice(0, 200).map((order) => (
                <tr key={`${order.order_date} ${order.store_id} ${order.order_id}`}>
                  <td class="wrap">
                    <a class="door" href={`/console/order?id=${encodeURIComponent(order.order_id)}`}>
                      {order.order_id}
                    </a>{" "}
                    <span class="dim">
                      {order.store_id}, {day(order.order_date)}
                    </span>
                  </td>
                  <td>{order.why}</td>
                  <td class="n">{dollars(order.cents - order.reported_cents)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      </div>
    </>
  );
}

/** Every backup, and whether a test restore has verified it. */
export function BackupsScreen() {
  const { result, error, again } = useAnswer("backups", () => ask("backups", {}));
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (result === undefined) return <Loading />;
  const proven = result.filter(({ isProven }) => isProven).length;
  const backUp = (
    <Confirmed
      primary
      label="Back up now"
      question="Back up gold and the ledgers, and restore it as a test"
      act={async () => {
        await askConfirmed("run", { workflow: "backup" });
        again();
        void poll();
      }}
    />
  );
  return (
    <>
      <Verdict
        title={result.length === 0 ? "No backup yet" : `${counted(proven, "backup")} verified by a test restore`}
        actions={backUp}
      >
        A backup holds gold and the ledgers; bronze and silver stay in the lake.
      </Verdict>
      {result.length === 0 ? (
        <Empty title="Nothing to restore from">
          <p>The workflow backup runs once a day.</p>
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Backups">
          <table class="t">
            <thead>
              <tr>
                <th scope="col">Backup</th>
                <th scope="col">Made</th>
                <th scope="col" class="n">
                  Tables
                </th>
                <th scope="col" class="n">
                  Rows
                </th>
                <th scope="col" class="n">
                  Size
                </th>
              </tr>
            </thead>
            <tbody>
              {result.map((backup) => (
                <tr key={backup.id}>
                  <td>
                    <span class="st">
                      <Glyph mood={backup.isProven ? "ok" : "warn"} />
                      <span class="mono">{backup.id}</span>
                      <span class="dim">{backup.isProven ? "verified" : "not verified"}</span>
                    </span>
                  </td>
                  {"problem" in backup ? (
                    <td colSpan={4} class="bad wrap">
                      {backup.problem}
                    </td>
                  ) : (
                    <>
                      <td class="mid">{moment(Date.parse(backup.madeAt))}</td>
                      <td class="n">{count(backup.tables)}</td>
                      <td class="n">{count(backup.rows)}</td>
                      <td class="n">{byteSize(backup.bytes)}</td>
                    </>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
