import { hash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ConsoleFiles } from "../targets/local/console-server.ts";

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><path d="M10 1.5 18.5 17c-5.4 2-11.6 2-17 0Z" fill="#d9a441"/><circle cx="10" cy="8" r="1.5" fill="#a8632f"/><circle cx="7" cy="13.4" r="1.5" fill="#7f8b96"/><circle cx="12.8" cy="13" r="1.5" fill="#7a1f2b"/></svg>`;

let bundled: Promise<ConsoleFiles> | undefined;

/** Bundles the console's page in memory, once a process. Nobody who uses the console runs a build step. */
export function bundleConsole(): Promise<ConsoleFiles> {
  bundled ??= bundle();
  bundled.catch(() => (bundled = undefined));
  return bundled;
}

async function bundle(): Promise<ConsoleFiles> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: { script: "app.tsx", style: "style.css" },
    outdir: "/",
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  });
  const [script, style] = ["js", "css"].map((end) => {
    const { text } = outputFiles.find(({ path }) => path.endsWith(`.${end}`))!;
    return { name: `${hash("sha256", text, "hex").slice(0, 16)}.${end}`, text };
  });
  return { script: script!, style: style!, page: page(script!.name, style!.name), icon };
}

function page(script: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Pizza sales</title>
<link rel="icon" href="/console/icon.svg">
<link rel="stylesheet" href="/console/${style}">
<script type="module" src="/console/${script}"></script>
</head>
<body><div id="app"></div><noscript>The console needs JavaScript.</noscript></body>
</html>
`;
}
