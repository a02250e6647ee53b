import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

type Fields = Record<string, unknown>;

/** A master as NodePass 1.14 is, as far as its API goes. */
export interface OldMaster {
  readonly url: string;
  readonly key: string;
  /** Every request as `GET /api/v1/info`. */
  readonly requests: readonly string[];
  readonly instances: ReadonlyMap<string, Fields>;
}

/** How long its instances need to stop or start after it has answered, ms. */
const settleMs = 300;

/**
 * Starts it on loopback; it is gone when the test ends. What it does its own way: it answers actions with
 * the state before them, sorts the query of URLs, knows neither logs nor reading keys, and says 404 with
 * text where it knows no path.
 */
export async function startOldMaster(): Promise<OldMaster> {
  const key = "the-key-of-the-old-master";
  const requests: string[] = [];
  const instances = new Map<string, Fields>();
  let made = 0;
  let alias = "";

  const sorted = (text: unknown): string => {
    const [address = "", query = ""] = String(text).split("?");
    return query === "" ? address : `${address}?${query.split("&").sort().join("&")}`;
  };
  const newInstance = (url: unknown): Fields => {
    made += 1;
    return {
      id: `0000000${made}`,
      alias: "",
      type: String(url).split(":")[0],
      status: "running",
      url: sorted(url),
      config: sorted(url),
      restart: true,
      meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
      ...{ mode: 1, ping: 0, pool: 0, tcps: 0, udps: 0, tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 },
    };
  };
  const entry = (): Fields => ({
    ...newInstance("server://:1/:2"),
    id: "********",
    type: "",
    url: key,
  });
  const later = (instance: Fields, status: string) => {
    setTimeout(() => Object.assign(instance, { status }), settleMs).unref();
  };
  const change = (instance: Fields, { action, ...fields }: Fields): Fields => {
    const before = { ...instance };
    if (fields.meta !== undefined)
      fields.meta = { ...Object(instance.meta), ...Object(fields.meta) };
    Object.assign(instance, fields);
    if (action === "stop") later(instance, "stopped");
    if (action === "start" || action === "restart") later(instance, "running");
    return action === undefined ? instance : before;
  };

  const answer = async (request: IncomingMessage, path: string): Promise<[number, unknown]> => {
    const { method = "GET" } = request;
    const body: Fields =
      method === "POST" || method === "PATCH" || method === "PUT"
        ? Object(await json(request))
        : {};
    if (path === "/info") {
      if (method === "POST") alias = String(body.alias);
      return [200, { os: "linux", ver: "1.14.0", alias }];
    }
    if (path.startsWith("/tcping?")) {
      return [200, { target: "", connected: true, latency: 3, error: null }];
    }
    if (path === "/instances" && method === "POST") {
      const instance = newInstance(body.url);
      instances.set(String(instance.id), instance);
      return [201, instance];
    }
    if (path === "/instances") return [200, [entry(), ...instances.values()]];
    const id = path.slice("/instances/".length);
    const instance = id === "********" ? entry() : instances.get(id);
    if (instance === undefined) return [404, { error: "Instance not found" }];
    if (method === "PATCH") return [200, change(instance, body)];
    if (method === "PUT") {
      instance.url = sorted(body.url);
      instance.config = instance.url;
    }
    if (method !== "DELETE") return [200, instance];
    instances.delete(id);
    return [204, undefined];
  };

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const path = /^\/api\/v1(\/(?:info|tcping\?.*|instances(?:\/[^/?]+)?))$/.exec(
      request.url ?? "",
    )?.[1];
    if (path === undefined) response.writeHead(404).end("404 page not found\n");
    else if (request.headers["x-api-key"] !== key) {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"error":"Unauthorized: Invalid API key"}');
    } else {
      void answer(request, path).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, key, requests, instances };
}
