import type { LineageEndpoint } from "../pipeline/ports.ts";

const patience = 10_000;

/** An OpenLineage endpoint such as Marquez: posts events to `<url>/api/v1/lineage`, with the key as bearer token. */
export function openLineageEndpoint({ url, apiKey }: { url: string; apiKey?: string | undefined }): LineageEndpoint {
  const address = new URL("api/v1/lineage", url.endsWith("/") ? url : `${url}/`);
  return {
    async send(event) {
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(patience),
      }).catch((cause: Error) => {
        throw new Error(`OpenLineage endpoint ${address.href} does not answer: check OPENLINEAGE_URL and the network`, {
          cause,
        });
      });
      if (response.ok) return;
      const text = (await response.text()).slice(0, 200);
      throw new Error(
        `OpenLineage endpoint ${address.href} rejects the event with status ${response.status}: check OPENLINEAGE_URL (response: ${text})`,
      );
    },
  };
}

/** The endpoint in `OPENLINEAGE_URL`, with the key in `OPENLINEAGE_API_KEY`; undefined if the URL is not set. */
export function lineageEndpointFrom(environment: NodeJS.ProcessEnv): LineageEndpoint | undefined {
  const { OPENLINEAGE_URL: url, OPENLINEAGE_API_KEY: apiKey } = environment;
  if (!url) return undefined;
  if (!URL.canParse(url))
    throw new Error(`OPENLINEAGE_URL ${url} is not a URL: set it to an address such as http://127.0.0.1:5000`);
  return openLineageEndpoint({ url, apiKey });
}
