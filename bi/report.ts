import type { MeasureName } from "./measures.ts";

export type VisualType =
  | "card"
  | "lineChart"
  | "clusteredColumnChart"
  | "clusteredBarChart"
  | "tableEx"
  | "pivotTable"
  | "map"
  | "slicer";

/** A column of the model as `Table.Column`, or a measure. */
export type Field = `${string}.${string}` | { measure: MeasureName };

export interface Visual {
  /** Unique on its page. */
  name: string;
  type: VisualType;
  /** The one question that it answers; cards and slicers have a label instead. */
  title: string;
  /** On a page of 1280 x 720. */
  at: { x: number; y: number; width: number; height: number };
  /** Fields by the role that Power BI names. */
  fields: Readonly<Record<string, readonly Field[]>>;
  /** Sorts by this field, the largest first. */
  sortBy?: Field;
}

export interface Page {
  name: string;
  title: string;
  visuals: readonly Visual[];
}

export const pageSize = { width: 1280, height: 720 };

const margin = 24;
const gap = 16;
const measure = (name: MeasureName): Field => ({ measure: name });

/** Cards in a row at the top of a page. */
function cards(names: readonly MeasureName[]): Visual[] {
  const width = (pageSize.width - 2 * margin - (names.length - 1) * gap) / names.length;
  return names.map((name, index) => ({
    name: `card_${index + 1}`,
    type: "card",
    title: name,
    at: { x: Math.round(margin + index * (width + gap)), y: margin, width: Math.floor(width), height: 96 },
    fields: { Values: [measure(name)] },
  }));
}

const [top, bottom] = [136, pageSize.height - margin];
const [left, middle] = [margin, pageSize.width / 2 + gap / 2];
const half = (pageSize.width - 2 * margin - gap) / 2;
const tall = bottom - top;
const short = (tall - gap) / 2;

const places = {
  left: { x: left, y: top, width: half, height: tall },
  right: { x: middle, y: top, width: half, height: tall },
  topLeft: { x: left, y: top, width: half, height: short },
  topRight: { x: middle, y: top, width: half, height: short },
  bottomLeft: { x: left, y: top + short + gap, width: half, height: short },
  bottomRight: { x: middle, y: top + short + gap, width: half, height: short },
  topWide: { x: left, y: top, width: pageSize.width - 2 * margin, height: short },
} as const;

/** The report's pages: at most eight visuals on each, every title a question. */
export const pages: readonly Page[] = [
  {
    name: "sales",
    title: "Sales",
    visuals: [
      ...cards(["Revenue", "Orders", "Pizzas", "Average order", "Margin %"]),
      {
        name: "revenue_by_month",
        type: "lineChart",
        title: "How did revenue develop?",
        at: places.topWide,
        fields: { Category: ["Date.Month"], Y: [measure("Revenue")] },
      },
      {
        name: "best_pizzas",
        type: "clusteredBarChart",
        title: "Which pizzas sell for most?",
        at: places.bottomLeft,
        fields: { Category: ["Pizza.Pizza"], Y: [measure("Revenue")] },
        sortBy: measure("Revenue"),
      },
      {
        name: "channels",
        type: "clusteredColumnChart",
        title: "How do orders reach us?",
        at: places.bottomRight,
        fields: { Category: ["Channel.Channel"], Y: [measure("Orders")] },
      },
    ],
  },
  {
    name: "pizzas",
    title: "Pizzas and sizes",
    visuals: [
      ...cards(["Pizzas", "Revenue", "Margin"]),
      {
        name: "categories",
        type: "clusteredColumnChart",
        title: "Which category earns most?",
        at: places.topLeft,
        fields: { Category: ["Pizza.Category"], Y: [measure("Margin")] },
        sortBy: measure("Margin"),
      },
      {
        name: "sizes",
        type: "clusteredColumnChart",
        title: "Which sizes do guests choose?",
        at: places.bottomLeft,
        fields: { Category: ["Pizza.Size"], Y: [measure("Pizzas")] },
      },
      {
        name: "menu",
        type: "tableEx",
        title: "What does each pizza bring?",
        at: places.right,
        fields: {
          Values: [
            "Pizza.Pizza",
            measure("Pizzas"),
            measure("Revenue"),
            measure("Margin %"),
            measure("Share of revenue"),
          ],
        },
        sortBy: measure("Revenue"),
      },
    ],
  },
  {
    name: "hours",
    title: "Hours and weekdays",
    visuals: [
      ...cards(["Orders", "Orders per open day", "Pizzas per order"]),
      {
        name: "by_hour",
        type: "clusteredColumnChart",
        title: "When is the rush?",
        at: places.topLeft,
        fields: { Category: ["Hour.Hour"], Y: [measure("Orders")] },
      },
      {
        name: "by_weekday",
        type: "clusteredColumnChart",
        title: "Which weekday is the busiest?",
        at: places.bottomLeft,
        fields: { Category: ["Date.Weekday"], Y: [measure("Orders")] },
      },
      {
        name: "hour_and_weekday",
        type: "pivotTable",
        title: "How many orders come at which hour of which weekday?",
        at: places.right,
        fields: { Rows: ["Hour.Hour"], Columns: ["Date.Weekday"], Values: [measure("Orders")] },
      },
    ],
  },
  {
    name: "stores",
    title: "Stores",
    visuals: [
      ...cards(["Revenue", "Orders", "Average order"]),
      {
        name: "map",
        type: "map",
        title: "Where are the sales?",
        at: places.left,
        fields: { Category: ["Store.City"], Size: [measure("Revenue")] },
      },
      {
        name: "by_store",
        type: "clusteredBarChart",
        title: "Which store sells most?",
        at: places.topRight,
        fields: { Category: ["Store.Store"], Y: [measure("Revenue")] },
        sortBy: measure("Revenue"),
      },
      {
        name: "store_and_channel",
        type: "pivotTable",
        title: "Which channel is strong in which store?",
        at: places.bottomRight,
        fields: { Rows: ["Store.Store"], Columns: ["Channel.Channel"], Values: [measure("Orders")] },
      },
    ],
  },
  {
    name: "customers",
    title: "Customers",
    visuals: [
      ...cards(["Customers", "Spent by customers", "Orders by customer"]),
      {
        name: "segments",
        type: "clusteredBarChart",
        title: "How many customers does each segment have?",
        at: places.left,
        fields: { Category: ["Customer segments.Segment"], Y: [measure("Customers")] },
        sortBy: measure("Customers"),
      },
      {
        name: "value",
        type: "tableEx",
        title: "What is each segment worth?",
        at: places.right,
        fields: {
          Values: [
            "Customer segments.Segment",
            measure("Customers"),
            measure("Spent by customers"),
            measure("Orders by customer"),
          ],
        },
        sortBy: measure("Spent by customers"),
      },
    ],
  },
  {
    name: "trust",
    title: "Can I trust these numbers?",
    visuals: [
      ...cards(["Receipts", "Receipts that balance", "Corrections", "Red rules", "Seconds to gold"]),
      {
        name: "receipts",
        type: "tableEx",
        title: "Did every receipt balance?",
        at: places.topLeft,
        fields: {
          Values: [
            "Receipts.Checked at",
            "Receipts.Balanced",
            "Receipts.Events",
            "Receipts.Quarantined",
            "Receipts.Findings",
          ],
        },
        sortBy: "Receipts.Checked at",
      },
      {
        name: "rules",
        type: "tableEx",
        title: "What did the quality rules find?",
        at: places.topRight,
        fields: {
          Values: ["Quality.Checked at", "Quality.Rule", "Quality.Severity", "Quality.Offenders", "Quality.Is red"],
        },
        sortBy: "Quality.Offenders",
      },
      {
        name: "corrections",
        type: "tableEx",
        title: "What changed after it was reported?",
        at: { ...places.bottomLeft, width: pageSize.width - 2 * margin },
        fields: {
          Values: [
            "Corrections.Corrected at",
            "Corrections.Day",
            "Corrections.Table",
            "Corrections.Column",
            "Corrections.Old value",
            "Corrections.New value",
            "Corrections.Cause",
          ],
        },
        sortBy: "Corrections.Corrected at",
      },
    ],
  },
];
