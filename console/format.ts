/** Amounts, counts and times as every screen shows them. Amounts are US cents; times are milliseconds since 1970. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const twoDecimals = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const oneDecimal = new Intl.NumberFormat("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const minus = "\u2212";

const signed = (text: string): string => text.replace("-", minus);

/** A count with commas. */
export function count(value: number): string {
  return signed(whole.format(value));
}

/** US cents as `1,234.50`. */
export function money(cents: number): string {
  return signed(twoDecimals.format(cents / 100));
}

/** US cents as `$1,234.50`. */
export function dollars(cents: number): string {
  return cents < 0 ? `${minus}$${money(-cents)}` : `$${money(cents)}`;
}

/** PostgreSQL's decimal text as cents, without passing through a fractional number. */
export function centsOf(text: unknown): number {
  const [, sign = "", units = "0", part = ""] = /^(-?)(\d+)(?:\.(\d{1,2}))?/.exec(String(text)) ?? [];
  const cents = Number(units) * 100 + Number(part.padEnd(2, "0"));
  return sign === "-" ? -cents : cents;
}

/** A share as `12.3 %`. */
export function percent(share: number): string {
  return `${signed(oneDecimal.format(100 * share))} %`;
}

/** A change as `+3.2 %`; a dash without anything to compare with. */
export function change(now: number, before: number): string {
  if (before === 0) return "—";
  const share = now / before - 1;
  return `${share > 0 ? "+" : ""}${percent(share)}`;
}

/** Milliseconds as `149 ms`, `1.59 s` or `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Bytes as `1.55 MiB`. */
export function byteSize(size: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const step = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(size) / Math.log(1024)));
  return step === 0 ? `${count(size)} bytes` : `${(size / 1024 ** step).toFixed(2)} ${units[step]}`;
}

/** `20:36:17 UTC` */
export function clock(at: number): string {
  return `${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `1 Dec 2026, 20:36:17 UTC` */
export function moment(at: number): string {
  return `${day(new Date(at).toISOString().slice(0, 10))}, ${clock(at)}`;
}

/** An age in words up to 90 minutes, then the time. */
export function age(at: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  return now - at < 86_400_000 ? clock(at) : moment(at);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Monday first, as gold counts weekdays from 1. */
export const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** `2015-11-27` as `27 Nov 2015`. */
export function day(date: string): string {
  const [year, monthOfYear, dayOfMonth] = date.slice(0, 10).split("-").map(Number);
  return `${dayOfMonth} ${months[monthOfYear! - 1]} ${year}`;
}

/** `2015-11` or a day of it as `Nov 2015`. */
export function month(date: string): string {
  const [year, at] = date.split("-").map(Number);
  return `${months[at! - 1]} ${year}`;
}

/** The name of a month in three letters, from 0. */
export function monthName(index: number): string {
  return months[index]!;
}

/** A day that is so many days later. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Days from one date to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

/** The last digits of a long number, with an ellipsis before them. */
export function tail(text: string, digits = 6): string {
  return text.length > digits + 1 ? `…${text.slice(-digits)}` : text;
}

/** `dine_in` as `Dine in`. */
export function words(name: string): string {
  const text = name
    .replaceAll("_", " ")
    .replace(/\butf8\b/, "UTF-8")
    .replace(/\bjson\b/, "JSON");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A noun with its count: `1 order`, `2 orders`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
