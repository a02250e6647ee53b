import { createServer, type Server } from "node:http";
import { MOST_SAMPLE_BYTES, SAMPLE_PATH } from "./demo-visitors.ts";

/** What the page shows of the tunnel. */
export interface DemoNumbers {
  readonly tcps: number;
  readonly pool: number;
  readonly ping: number;
  readonly tcprx: number;
  readonly tcptx: number;
}

// Nothing of a request goes into the page.
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Through the tunnel</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem }
  td { padding: .1rem 1rem .1rem 0; font-variant-numeric: tabular-nums }
</style>
<h1>It works</h1>
<p>This page came through a NodePass tunnel: your browser connected to the <b>server</b>, which
passed the connection to the <b>client</b> over TLS, which connected to a web server that knows
nothing of either.</p>
<table>
  <tr><td>pages and numbers served<td id="requests">–
  <tr><td>connections in the tunnel<td id="tcps">–
  <tr><td>connections kept ready<td id="pool">–
  <tr><td>round trip, ms<td id="ping">–
  <tr><td>bytes received, sent<td><span id="tcprx">–</span>, <span id="tcptx">–</span>
</table>
<script>
  async function refresh() {
    try {
      const numbers = await (await fetch("/numbers")).json();
      for (const [name, value] of Object.entries(numbers)) {
        document.getElementById(name).textContent = value;
      }
    } catch {
      document.querySelector("h1").textContent = "The tunnel has been closed";
    }
  }
  refresh();
  setInterval(refresh, 1000);
</script>
</html>
`;

/** Creates the web server of the demonstration: one page, and the numbers that it shows. */
export function createDemoSite(readNumbers: () => DemoNumbers | Promise<DemoNumbers>): Server {
  let requests = 0;
  return createServer((request, response) => {
    requests += 1;
    response.setHeader("cache-control", "no-store");
    if (request.url === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(page);
    } else if (request.url === "/numbers") {
      void Promise.resolve(readNumbers()).then(
        ({ tcps, pool, ping, tcprx, tcptx }) => {
          const numbers = { requests, tcps, pool, ping: Math.round(ping), tcprx, tcptx };
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify(numbers));
        },
        () => response.writeHead(503).end(),
      );
    } else if (request.url?.startsWith(SAMPLE_PATH) === true) {
      const bytes = Number(request.url.slice(SAMPLE_PATH.length));
      const isFit = Number.isInteger(bytes) && bytes >= 0 && bytes <= MOST_SAMPLE_BYTES;
      if (isFit) response.end(Buffer.alloc(bytes, "nodepass "));
      else response.writeHead(404).end();
    } else {
      response.writeHead(404).end();
    }
  });
}
