import type { LineageEndpoint } from "../pipeline/ports.ts";

const patience = 10_000;

/**
 * An OpenLineage endpoint over HTTP, such as Marquez: events go to `<url>/api/v1/lineage`, with the key as a bearer token
 * where there is one.
 */
export function openLineageEndpoint({ url, apiKey }: { url: string; apiKey?: string | undefined }): LineageEndpoint {
  const address = new URL("api/v1/lineage", url.endsWith("/") ? url : `${url}/`);
  return {
    async send(event) {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(patience),
      }).catch((cause: Error) => {
        throw new Error(`OpenLineage endpoint ${address.href} does not answer: see OPENLINEAGE_URL and the network`, {
          cause,
        });
      });
      if (answer.ok) return;
      const words = (await answer.text()).slice(0, 200);
      throw new Error(
        `OpenLineage endpoint ${address.href} refuses the event with ${answer.status}: see OPENLINEAGE_URL; it says ${words}`,
      );
    },
  };
}

/** The endpoint that `OPENLINEAGE_URL` and `OPENLINEAGE_API_KEY` name; undefined where none is named. */
export function lineageEndpointFrom(environment: NodeJS.ProcessEnv): LineageEndpoint | undefined {
  const { OPENLINEAGE_URL: url, OPENLINEAGE_API_KEY: apiKey } = environment;
  if (!url) return undefined;
  if (!URL.canParse(url))
    throw new Error(`OPENLINEAGE_URL is ${url}: set it to an address such as http://127.0.0.1:5000`);
  return openLineageEndpoint({ url, apiKey });
}
