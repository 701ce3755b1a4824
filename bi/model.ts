export interface ModelColumn {
  /** Name in the model; hidden columns keep the name of the database. */
  name: string;
  type: "string" | "int64" | "decimal" | "dateTime" | "boolean";
  /** The column of the table's source. */
  source: string;
  isKey?: true;
  isHidden?: true;
  /** The column by which Power BI sorts this one. */
  sortBy?: string;
  dataCategory?: "City" | "StateOrProvince";
  format?: string;
  /** Where the database has no comment: the sentence of the column. */
  sentence?: string;
}

export interface ModelTable {
  name: string;
  sentence: string;
  /** The table or view that it imports; a table without one is computed in M. */
  source?: `${"gold" | "bi"}.${string}`;
  /** Power Query M that makes the rows, instead of a source. */
  m?: readonly string[];
  columns: readonly ModelColumn[];
  isDateTable?: true;
  isHidden?: true;
}

export const channelNames = {
  dine_in: "Dine in",
  takeaway: "Takeaway",
  delivery: "Delivery",
  online: "Online",
} as const;

/** The table that lists the measures. */
export const measuresTable = "Measures";

const hidden = (source: string, type: ModelColumn["type"]): ModelColumn => ({
  name: source,
  type,
  source,
  isHidden: true,
});
const day = "yyyy-mm-dd";
const moment = "yyyy-mm-dd hh:nn";

/** The tables of Power BI's model: two facts, their dimensions, and what says how far the numbers can be trusted. */
export const tables: readonly ModelTable[] = [
  {
    name: "Date",
    sentence: "Calendar: every day of the years that have sales",
    source: "gold.dates",
    isDateTable: true,
    columns: [
      { name: "Date", type: "dateTime", source: "date", isKey: true, format: day },
      { name: "Year", type: "int64", source: "year", format: "0" },
      { name: "Quarter", type: "int64", source: "quarter" },
      { name: "Month", type: "dateTime", source: "month", format: "mmm yyyy" },
      { name: "Month number", type: "int64", source: "month_number", isHidden: true },
      { name: "Month name", type: "string", source: "month_name", sortBy: "Month number" },
      { name: "Weekday number", type: "int64", source: "weekday", isHidden: true },
      { name: "Weekday", type: "string", source: "weekday_name", sortBy: "Weekday number" },
      { name: "Is weekend", type: "boolean", source: "is_weekend" },
      { name: "Holiday", type: "string", source: "holiday" },
      { name: "Has sales", type: "boolean", source: "has_sales" },
      { name: "Is closed", type: "boolean", source: "is_closed" },
    ],
  },
  {
    name: "Store",
    sentence: "Stores, as they are now; also those without a sale",
    source: "gold.stores",
    columns: [
      { name: "Store", type: "string", source: "store_id", isKey: true },
      { name: "City", type: "string", source: "city", dataCategory: "City" },
      { name: "State", type: "string", source: "state", dataCategory: "StateOrProvince" },
      { name: "Time zone", type: "string", source: "time_zone" },
      { name: "Opens on", type: "dateTime", source: "opens_on", format: day },
      { name: "Closes on", type: "dateTime", source: "closes_on", format: day },
    ],
  },
  {
    name: "Channel",
    sentence: "How the order reached the store",
    m: [
      "let",
      `    Rows = {${Object.entries(channelNames)
        .map(([key, name], index) => `{"${key}", "${name}", ${index + 1}}`)
        .join(", ")}},`,
      "    Channels = #table(type table [channel = text, name = text, place = Int64.Type], Rows)",
      "in",
      "    Channels",
    ],
    columns: [
      {
        name: "channel key",
        type: "string",
        source: "channel",
        isKey: true,
        isHidden: true,
        sentence: "The word that tills send",
      },
      {
        name: "Channel",
        type: "string",
        source: "name",
        sortBy: "Channel order",
        sentence: "How the order reached the store",
      },
      { name: "Channel order", type: "int64", source: "place", isHidden: true, sentence: "Sorts the channels" },
    ],
  },
  {
    name: "Hour",
    sentence: "Hours of the day on the wall clock of the store",
    m: [
      "let",
      '    Hours = List.Transform({0..23}, each {_, Text.PadStart(Text.From(_), 2, "0") & ":00"}),',
      "    Table = #table(type table [hour = Int64.Type, name = text], Hours)",
      "in",
      "    Table",
    ],
    columns: [
      { name: "Hour number", type: "int64", source: "hour", isKey: true, isHidden: true, sentence: "0 to 23" },
      { name: "Hour", type: "string", source: "name", sortBy: "Hour number", sentence: "The hour that begins then" },
    ],
  },
  {
    name: "Pizza",
    sentence: "Pizzas in their sizes, as the menu has them now; also those that nobody buys",
    source: "gold.menu",
    columns: [
      { name: "pizza_id", type: "string", source: "pizza_id", isKey: true, isHidden: true },
      { name: "Pizza", type: "string", source: "name" },
      { name: "Category", type: "string", source: "category" },
      { name: "Size order", type: "int64", source: "size_order", isHidden: true },
      { name: "Size", type: "string", source: "size", sortBy: "Size order" },
    ],
  },
  {
    name: "Sales items",
    sentence: "Sales per day, store, channel and pizza; every measure adds up",
    source: "gold.sales_items",
    columns: [
      hidden("order_date", "dateTime"),
      hidden("store_id", "string"),
      hidden("channel", "string"),
      hidden("pizza_id", "string"),
      hidden("order_lines", "int64"),
      hidden("pizzas", "int64"),
      hidden("revenue", "decimal"),
      hidden("cost", "decimal"),
    ],
  },
  {
    name: "Sales hours",
    sentence: "Sales per day, hour, store and channel; every measure adds up",
    source: "gold.sales_hours",
    columns: [
      hidden("order_date", "dateTime"),
      hidden("hour", "int64"),
      hidden("store_id", "string"),
      hidden("channel", "string"),
      hidden("orders", "int64"),
      hidden("order_lines", "int64"),
      hidden("pizzas", "int64"),
      hidden("revenue", "decimal"),
      hidden("cost", "decimal"),
    ],
  },
  {
    name: "Customer segments",
    sentence: "Customers by recency, frequency and monetary value; no names, only keys",
    source: "gold.customer_segments",
    columns: [
      hidden("customer_key", "string"),
      { name: "Segment", type: "string", source: "segment" },
      { name: "Recency score", type: "int64", source: "recency_score" },
      { name: "Frequency score", type: "int64", source: "frequency_score" },
      { name: "Monetary score", type: "int64", source: "monetary_score" },
      { name: "First order", type: "dateTime", source: "first_order_date", format: day },
      { name: "Last order", type: "dateTime", source: "last_order_date", format: day },
      hidden("frequency", "int64"),
      hidden("monetary", "decimal"),
    ],
  },
  {
    name: "Receipts",
    sentence: "Every receipt that the pipeline worked out",
    source: "bi.receipts",
    columns: [
      { name: "Checked at", type: "dateTime", source: "checked_at", format: moment },
      { name: "Balanced", type: "boolean", source: "balanced" },
      { name: "Events", type: "int64", source: "events" },
      { name: "Accepted", type: "int64", source: "events_accepted" },
      { name: "Quarantined", type: "int64", source: "events_quarantined" },
      { name: "Orders in the receipt", type: "int64", source: "orders" },
      { name: "Findings", type: "int64", source: "findings" },
      { name: "Sentences", type: "string", source: "sentences" },
    ],
  },
  {
    name: "Corrections",
    sentence: "Values that changed after they had been reported",
    source: "bi.corrections",
    columns: [
      { name: "Corrected at", type: "dateTime", source: "corrected_at", format: moment },
      { name: "Day", type: "dateTime", source: "order_date", format: day },
      { name: "Table", type: "string", source: "table_name" },
      { name: "Column", type: "string", source: "column_name" },
      { name: "Old value", type: "string", source: "old_value" },
      { name: "New value", type: "string", source: "new_value" },
      { name: "Cause", type: "string", source: "cause" },
    ],
  },
  {
    name: "Quality",
    sentence: "What each quality rule found each time it was checked",
    source: "bi.data_quality_results",
    columns: [
      { name: "Checked at", type: "dateTime", source: "checked_at", format: moment },
      { name: "Rule", type: "string", source: "rule" },
      { name: "Severity", type: "string", source: "severity" },
      { name: "Offenders", type: "int64", source: "offenders" },
      { name: "Is red", type: "boolean", source: "is_red" },
    ],
  },
  {
    name: "Freshness",
    sentence: "How long orders took from the till to gold, for each publish",
    source: "bi.freshness",
    columns: [
      { name: "Published at", type: "dateTime", source: "published_at", format: moment },
      { name: "Fresh orders", type: "int64", source: "orders" },
      hidden("median_seconds", "decimal"),
      hidden("p95_seconds", "decimal"),
    ],
  },
  {
    // A measure may not have the name of a column of its table, so that measures have a table to themselves.
    name: measuresTable,
    sentence: "Every measure of the model",
    m: ["let", "    Nothing = #table(type table [nothing = text], {})", "in", "    Nothing"],
    columns: [{ name: "nothing", type: "string", source: "nothing", isHidden: true, sentence: "Always empty" }],
  },
  {
    name: "Store access",
    sentence: "Who may see which store in the role Store manager, from the parameter StoreManagers",
    isHidden: true,
    m: [
      "let",
      '    Pairs = List.Select(Text.Split(StoreManagers, ";"), each Text.Contains(_, "=")),',
      '    Rows = List.Transform(Pairs, each List.Transform(Text.Split(_, "="), Text.Trim)),',
      "    Access = #table(type table [user = text, store_id = text], Rows)",
      "in",
      "    Access",
    ],
    columns: [
      {
        name: "User",
        type: "string",
        source: "user",
        isHidden: true,
        sentence: "The name that a manager signs in with",
      },
      { name: "Store of the user", type: "string", source: "store_id", isHidden: true, sentence: "Id of a store" },
    ],
  },
];

/** Many to one, filtered from the dimension to the fact. */
export const relationships: readonly { from: [table: string, column: string]; to: [table: string, column: string] }[] =
  [
    { from: ["Sales items", "order_date"], to: ["Date", "Date"] },
    { from: ["Sales items", "store_id"], to: ["Store", "Store"] },
    { from: ["Sales items", "channel"], to: ["Channel", "channel key"] },
    { from: ["Sales items", "pizza_id"], to: ["Pizza", "pizza_id"] },
    { from: ["Sales hours", "order_date"], to: ["Date", "Date"] },
    { from: ["Sales hours", "hour"], to: ["Hour", "Hour number"] },
    { from: ["Sales hours", "store_id"], to: ["Store", "Store"] },
    { from: ["Sales hours", "channel"], to: ["Channel", "channel key"] },
  ];

const ownStore =
  "'Store'[Store] IN CALCULATETABLE(VALUES('Store access'[Store of the user]), 'Store access'[User] = USERPRINCIPALNAME())";

/** A manager sees the sales of their stores, and no row of a table that knows no store. */
export const roles: readonly { name: string; filters: Readonly<Record<string, string>> }[] = [
  {
    name: "Store manager",
    filters: {
      Store: ownStore,
      "Customer segments": "FALSE()",
      Receipts: "FALSE()",
      Corrections: "FALSE()",
      Quality: "FALSE()",
      Freshness: "FALSE()",
    },
  },
];

/** What somebody who opens the project is asked for. */
export const parameters = [
  {
    name: "Server",
    value: "127.0.0.1:55432",
    sentence: "Host and port of PostgreSQL, as ./pizza credentials prints them",
  },
  { name: "Database", value: "pizza_sales", sentence: "Name of the database" },
  {
    name: "StoreManagers",
    value: "manager@example.com=nyc-01",
    sentence: "Who may see which store in the role Store manager: user=store, separated by semicolons",
  },
] as const;
