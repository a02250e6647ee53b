import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { reservePort } from "test-support";
import { onTestFinished, vi } from "vitest";

/** Serves one page on loopback until the test ends. */
export async function servePage(content: string): Promise<number> {
  const server = createServer((_request, response) => {
    response.setHeader("Connection", "close").end(content);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Gets a page over a connection of its own. */
export async function fetchPage(port: number): Promise<string> {
  const request = get({ host: "127.0.0.1", port, agent: false, timeout: 5000 });
  request.once("timeout", () => request.destroy(new Error("no page in time")));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
  return text(response);
}

/** Gets a page through a tunnel that may still be coming up. */
export function fetchPageSoon(port: number): Promise<string> {
  return vi.waitFor(() => fetchPage(port), { timeout: 20_000, interval: 50 });
}

/** The URLs of a tunnel's two ends: users connect to `entry` and reach `target`. */
export async function tunnelUrls(target: number) {
  const [tunnel, entry] = [await reservePort(), await reservePort()];
  return {
    entry,
    server: `server://secret@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1`,
    client: `client://secret@127.0.0.1:${tunnel}/127.0.0.1:${target}?mode=2&min=2`,
  };
}
