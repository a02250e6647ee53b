import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** How the master differs from ours. */
export interface FakeMasterOptions {
  /** Where its API is, and nowhere else. @default "/api/v1" */
  readonly basePath?: string | undefined;
  /** Answers actions with the state before them, as NodePass 1.14, and needs this many looks. */
  readonly looksUntilStopped?: number | undefined;
  /** Knows neither aliases of new instances nor `meta`, as NodePass 1.6. */
  readonly isOld?: boolean | undefined;
  /** Has no event stream. */
  readonly withoutEvents?: boolean | undefined;
  /** The lines that it has kept of any instance, made when they are asked for; NodePass has no such route. */
  readonly keptLines?: (() => readonly Fields[]) | undefined;
}

type Fields = Record<string, unknown>;

/** A master of another making: what of the API's JSON the command relies on, and its quirks. */
export interface FakeMaster {
  readonly url: string;
  readonly key: string;
  /** Every request as `GET /api/v1/info`. */
  readonly requests: readonly string[];
  readonly instances: Map<string, Fields>;
  /** Event streams that are open. */
  streams(): number;
  /** Sends an event to every stream. */
  emit(event: Fields): void;
  /** Ends every stream; refuses the old key from then on if another is given. */
  endStreams(newKey?: string): void;
  /** Cuts every connection that comes from then on, or no more. */
  setAway(isAway: boolean): void;
}

export const fakeKey = "the-key-of-the-fake-master";

/** An instance as NodePass 1.14 writes it. */
export function fakeInstance(fields: Fields = {}): Fields {
  return {
    id: "a1b2c3d4",
    alias: "web",
    type: "server",
    status: "running",
    url: "server://hunter2@127.0.0.1:1/127.0.0.1:2",
    config: "server://hunter2@127.0.0.1:1/127.0.0.1:2?log=info",
    restart: true,
    meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
    mode: 1,
    ping: 7,
    pool: 8,
    tcps: 3,
    udps: 1,
    tcprx: 1_500_000,
    tcptx: 2_000,
    udprx: 0,
    udptx: 0,
    ...fields,
  };
}

/** Starts it on loopback; it is gone when the test ends. */
export async function startFakeMaster(options: FakeMasterOptions = {}): Promise<FakeMaster> {
  const { basePath = "/api/v1", isOld = false } = options;
  const requests: string[] = [];
  const instances = new Map<string, Fields>();
  const streams = new Set<ServerResponse>();
  const looks = new Map<string, number>();
  let key = fakeKey;
  let away = false;

  const entry = () => ({ ...fakeInstance({ id: "********", url: key, alias: "" }), type: "" });
  const frame = (event: Fields) =>
    `event: instance\ndata: ${JSON.stringify({ time: "2026-01-02T03:04:05Z", logs: "", ...event })}\n\n`;

  const openStream = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("retry: 3000\n\n");
    for (const instance of [entry(), ...instances.values()]) {
      response.write(frame({ type: "initial", instance }));
    }
    streams.add(response);
    response.on("close", () => streams.delete(response));
  };

  const change = (instance: Fields, body: Fields): Fields => {
    const before = { ...instance };
    const { action, alias, restart, meta } = body;
    if (alias !== undefined) instance.alias = alias;
    if (restart !== undefined) instance.restart = restart;
    if (meta !== undefined && !isOld) instance.meta = { ...Object(instance.meta), ...Object(meta) };
    if (action === "start" || action === "restart") instance.status = "running";
    if (action === "stop" && options.looksUntilStopped === undefined) instance.status = "stopped";
    if (action === "stop") looks.set(String(instance.id), options.looksUntilStopped ?? 0);
    if (action === "reset") Object.assign(instance, { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 });
    return action === undefined || options.looksUntilStopped === undefined ? instance : before;
  };

  const answer = async (request: IncomingMessage, path: string): Promise<[number, unknown]> => {
    const body = request.method === "GET" ? {} : Object(await json(request).catch(() => ({})));
    if (path === "/info") return [200, { os: "linux", ver: "1.14.0", uptime: 61 }];
    if (path === "/instances" && request.method === "POST") {
      const alias = isOld ? "" : (body.alias ?? "");
      const instance = fakeInstance({ id: "00c0ffee", url: body.url, alias });
      instances.set("00c0ffee", instance);
      return [201, instance];
    }
    if (path === "/instances") return [200, [entry(), ...instances.values()]];
    const id = path.slice("/instances/".length);
    if (id === "********") {
      if (request.method === "PATCH") key = "the-new-key";
      return [200, entry()];
    }
    const instance = instances.get(id);
    if (id.endsWith("/logs")) return [200, { lines: options.keptLines?.(), total: 0 }];
    if (instance === undefined) return [404, { error: "Instance not found" }];
    if (request.method === "PATCH") return [200, change(instance, body)];
    if (request.method === "DELETE") instances.delete(id);
    const left = looks.get(id);
    if (left !== undefined) {
      looks.set(id, left - 1);
      if (left <= 1) instance.status = "stopped";
    }
    return request.method === "DELETE" ? [204, undefined] : [200, instance];
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? "/", "http://fake");
    requests.push(`${request.method} ${pathname}`);
    if (away) return request.socket.destroy();
    const path = pathname.slice(basePath.length);
    const isKnown =
      pathname.startsWith(`${basePath}/`) &&
      (/^\/(?:info|events|instances(?:\/[^/]+)?)$/.test(path) ||
        (options.keptLines !== undefined && /^\/instances\/[^/]+\/logs$/.test(path)));
    // As Go's own answer for unknown paths.
    if (!isKnown) return response.writeHead(404).end("404 page not found\n");
    if (request.headers["x-api-key"] !== key) {
      return response.writeHead(401).end("Unauthorized: Invalid API key\n");
    }
    if (path === "/events" && options.withoutEvents !== true) return openStream(response);
    const [status, body] = path === "/events" ? [404, {}] : await answer(request, path);
    response.writeHead(status, { "content-type": "application/json" });
    return response.end(body === undefined ? undefined : JSON.stringify(body));
  };

  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const endStreams = (newKey?: string) => {
    key = newKey ?? key;
    for (const stream of streams) stream.end();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    requests,
    instances,
    streams: () => streams.size,
    emit: (event) => {
      for (const stream of streams) stream.write(frame(event));
    },
    endStreams,
    setAway: (isAway) => {
      away = isAway;
    },
  };
}
