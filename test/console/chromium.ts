import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/** Where Linux distributions and macOS install Chromium or Chrome. */
const usual = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The path of a browser to drive: `PIZZA_CHROMIUM`, or one in a usual place; undefined if there is none. */
export function findChromium(): string | undefined {
  return [process.env["PIZZA_CHROMIUM"], ...usual].find((path) => path !== undefined && existsSync(path));
}

/** Starts the browser. Root, as in containers, has no sandbox. */
export async function openBrowser(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ executablePath: findChromium()!, args });
}
