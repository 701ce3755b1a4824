import { useEffect, useState } from "preact/hooks";

/** Where the page is: its screen, and what the address says of it. */
export interface Route {
  screen: string;
  params: URLSearchParams;
  title: string;
  /** The screens that lead here. */
  crumbs: { name: string; href: string }[];
}

const titles: Record<string, string> = {
  "": "Pipeline",
  receipt: "Receipt",
  runs: "Runs",
  sales: "Sales",
  corrections: "Corrections",
  query: "Query",
  quality: "Quality",
  backups: "Backups",
  drills: "Drills",
  quarantine: "Quarantine",
  explain: "Why this number",
  order: "Order",
};

function routeNow(): Route {
  const wanted = location.pathname.replace(/^\/console\/?/, "");
  const screen = Object.hasOwn(titles, wanted) ? wanted : "";
  const params = new URLSearchParams(location.search);
  const crumbs = screen === "explain" ? [{ name: "Sales", href: `/console/sales?${params.get("back") ?? ""}` }] : [];
  const id = params.get("id");
  return { screen, params, title: screen === "order" && id !== null ? `Order ${id}` : titles[screen]!, crumbs };
}

const changed = "pizza:route";

/** Goes to an address of the console; back leads to where the page was. */
export function go(href: string, { isReplacing = false } = {}): void {
  if (isReplacing) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  dispatchEvent(new Event(changed));
  if (!isReplacing) scrollTo(0, 0);
}

/** The same address with other parameters; an empty value removes one. */
export function addressWith(params: URLSearchParams, changes: Record<string, string>): string {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  const query = next.toString();
  return location.pathname + (query === "" ? "" : `?${query}`);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(routeNow);
  useEffect(() => {
    const update = () => setRoute(routeNow());
    addEventListener(changed, update);
    addEventListener("popstate", update);
    return () => {
      removeEventListener(changed, update);
      removeEventListener("popstate", update);
    };
  }, []);
  return route;
}

// Links inside the console change the screen without loading the page again.
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest("a");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const href = link?.getAttribute("href") ?? "";
  if (!isPlain || !href.startsWith("/console/")) return;
  event.preventDefault();
  go(href);
});
