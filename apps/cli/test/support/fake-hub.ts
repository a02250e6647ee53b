import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  FleetEventSchema,
  FleetInfoSchema,
  type FleetMaster,
  FleetMasterChangeSchema,
  FleetMasterSchema,
  MoveSchema,
  NewServiceSchema,
  NewTokenSchema,
  type Service,
  ServiceChangeSchema,
  ServiceSchema,
} from "@nodepass/model/fleet";
import { onTestFinished } from "vitest";
import { fakeInstance } from "./fake-master.ts";

/** A hub without an engine: it keeps what it is told, by the schemas of the API. */
export interface FakeHub {
  /** Called when a master is about to be changed. */
  beforeChange: (() => void) | undefined;
  readonly url: string;
  /** `GET /fleet/masters?selector=x` with the body, if there was one. */
  readonly requests: readonly { readonly line: string; readonly body: unknown }[];
  readonly masters: FleetMaster[];
  readonly services: Service[];
  /** The environment of a user who has logged in. */
  readonly environment: Readonly<Record<string, string>>;
}

export const fakeToken = "npt_the-token-of-the-fake-hub";

export function fakeMember(mid: string, more: Partial<FleetMaster> = {}): FleetMaster {
  return FleetMasterSchema.parse({
    mid,
    name: "",
    labels: {},
    revision: "4",
    address: "",
    status: "online",
    lastSeen: new Date(Date.now() - 3000).toISOString(),
    joined: "2026-01-02T03:04:05.000Z",
    version: "0.1.0",
    allow: ["apply", "api", "read"],
    draining: false,
    duplicate: false,
    instances: { running: 2, stopped: 1, error: 0 },
    parts: 1,
    drift: 0,
    traffic: { tcprx: 1_000_000, tcptx: 500_000, udprx: 0, udptx: 0 },
    cpu: 3,
    memory: 90_000_000,
    ...more,
  });
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts it on loopback; it is gone when the test ends. */
export async function startFakeHub(): Promise<FakeHub> {
  const requests: { line: string; body: unknown }[] = [];
  const masters = [
    fakeMember("00000000000000e1", { name: "edge", labels: { region: "eu", fast: "" } }),
    fakeMember("00000000000000b0", { name: "home", status: "lost", lastSeen: null }),
  ];
  const services: Service[] = [];
  const hub: Pick<FakeHub, "beforeChange"> = { beforeChange: undefined };
  const alarms = [{ alarm: "mass-loss", message: "7 masters" }];
  const found = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Refusal(404, "not found");
    return value;
  };
  const midOf = (name: string | undefined) =>
    masters.find((each) => each.mid === name || each.name === name)?.mid ?? "00000000000000e1";

  /** As a hub fills a URL in, of which nobody asks more here. */
  const filled = (url: string) =>
    url.replace("://auto/", "://fake-key@192.0.2.1:10001/").replaceAll(":auto", ":10001");

  const create = (body: unknown): Service => {
    const wanted = NewServiceSchema.parse(body);
    const { alias } = wanted;
    if (alias !== "" && services.some((each) => each.alias === alias)) {
      throw new Refusal(409, `another service has the alias ${alias} already`);
    }
    const service = ServiceSchema.parse({
      ...wanted,
      sid: `00aa000${services.length}`,
      revision: "7",
      by: "t1",
      changed: "2026-01-02T03:04:05.000Z",
      parts: wanted.parts.map(({ url, master, selector = "", running }) => ({
        role: url.startsWith("server") ? "server" : "client",
        ...{ owner: midOf(master), epoch: 1, running, url: filled(url), selector },
        ...{ state: "applied", reason: "", instance: "a1b2c3d4" },
      })),
    });
    services.push(service);
    return service;
  };

  const answer = async (
    method: string,
    url: URL,
    body: unknown,
    ifMatch: string | undefined,
  ): Promise<[number, unknown]> => {
    const path = url.pathname.replace(/^\/api(?:\/v1)?/, "");
    const [, kind, id = "", verb] = /^\/fleet\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? [];
    const by = (service: Service) => service.sid === id;
    if (path === "/fleet") {
      const info = {
        ...{ fleet: "prod", hub: "h1", leader: "h1", version: "0.1.0", role: "admin" },
        ...{ engine: { connected: true, version: "2.15.2", servers: 1 }, gateway: "" },
        ...{ masters: masters.length, services: services.length },
        alarms,
      };
      return [200, FleetInfoSchema.parse(info)];
    }
    if (/^\/masters\/00000000000000e1\/api\/v1\/instances$/.test(path)) {
      return [200, [fakeInstance({ alias: "through-the-hub" })]];
    }
    if (path === "/masters/00000000000000e1/api/v1/info") return [200, { ver: "1.0" }];
    if (kind === "masters" && verb === "drain") {
      return [200, { moved: ["00aa0000"], left: [{ sid: "ffff", reason: "no other master" }] }];
    }
    if (kind === "masters" && verb === "adopt") {
      return [201, create({ parts: [{ url: "client://127.0.0.1:1/127.0.0.1:2", master: id }] })];
    }
    if (kind === "masters" && id === "") return [200, masters];
    if (kind === "masters") {
      const at = masters.findIndex(({ mid }) => mid === id);
      if (method === "DELETE")
        return [204, found(masters[at]) && masters.splice(at, 1) && undefined];
      hub.beforeChange?.();
      const master = found(masters[at]);
      if (ifMatch !== undefined && ifMatch !== `"${master.revision}"`) {
        throw new Refusal(412, `the master is at revision ${master.revision}`);
      }
      masters[at] = FleetMasterSchema.parse({
        ...master,
        revision: String(Number(master.revision) + 1),
        ...FleetMasterChangeSchema.parse(body),
      });
      return [200, masters[at]];
    }
    if (kind === "services" && id === "") {
      return method === "POST" ? [201, create(body)] : [200, services];
    }
    if (kind === "services") {
      const at = services.findIndex(by);
      const service = found(services[at]);
      if (method === "DELETE") return [204, services.splice(at, 1) && undefined];
      if (verb === "move") {
        const { part, to } = MoveSchema.parse(body);
        const parts = service.parts.map((each) =>
          part === undefined || each.role === part ? { ...each, owner: midOf(to) } : each,
        );
        services[at] = { ...service, parts };
      } else if (method === "PATCH") {
        if (ifMatch !== undefined && ifMatch !== `"${service.revision}"`) {
          throw new Refusal(412, `the service has revision ${service.revision}`);
        }
        const { policy, parts: changes = [], alias, tags } = ServiceChangeSchema.parse(body);
        services[at] = ServiceSchema.parse({
          ...service,
          ...(alias !== undefined && { alias }),
          ...(tags !== undefined && { tags }),
          revision: String(Number(service.revision) + 1),
          policy: { ...service.policy, ...policy },
          parts: service.parts.map((part) => ({
            ...part,
            ...changes.find(({ role }) => role === part.role),
          })),
        });
      }
      return [200, services[at]];
    }
    if (kind === "instances") {
      const page = url.searchParams.get("cursor") ?? "";
      const one = fakeInstance({ id: page === "" ? "a1b2c3d4" : "00c0ffee" });
      const from = { mid: "00000000000000e1", master: "edge", sid: null };
      return [
        200,
        {
          instances: [{ ...one, ...from }],
          cursor: page === "" ? "next" : null,
          missing: page === "" ? ["00000000000000b0"] : [],
        },
      ];
    }
    if (kind === "tokens" && method === "POST") {
      const wanted = NewTokenSchema.parse(body);
      const { ttl = null, uses = null } = wanted;
      const expires = ttl === null ? null : new Date(ttl * 1000).toISOString();
      const created = "2026-01-02T03:04:05.000Z";
      return [201, { ...wanted, id: "t2", uses, expires, created, token: `${wanted.kind}-secret` }];
    }
    if (kind === "tokens") return method === "DELETE" ? [204, undefined] : [200, []];
    if (kind === "audit") {
      const entry = {
        ...{ sequence: 9, time: "2026-01-02T03:04:05.000Z", token: "t1", role: "operator" },
        ...{ from: "192.0.2.7", action: "service.move", object: "00aa0000", detail: "to edge" },
        ...{ before: "7", after: "8", outcome: "done" },
      };
      return [200, [entry]];
    }
    if (path === "/fleet/failover/resume") return [204, alarms.splice(0) && undefined];
    if (kind === "export") return [200, { exported: url.search }];
    if (kind === "import") return [200, { created: 1, changed: 0, kept: 2, masters: 3 }];
    throw new Refusal(404, "no such route");
  };

  const handle = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const url = new URL(request.url ?? "/", "http://hub");
    const raw = await text(request);
    const body: unknown = raw === "" ? undefined : JSON.parse(raw);
    requests.push({ line: `${request.method} ${url.pathname}${url.search}`, body });
    if (request.headers["x-api-key"] !== fakeToken) return [401, { error: "no such token" }];
    try {
      return await answer(request.method ?? "", url, body, request.headers["if-match"]);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 400;
      return [status, { error: error instanceof Error ? error.message : "" }];
    }
  };

  const server = createServer((request, response) => {
    if (request.url?.endsWith("/fleet/events") === true) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const [master] = masters;
      const event = { type: "initial", time: "2026-01-02T03:04:05.000Z", master, message: "" };
      response.write(`event: fleet\ndata: ${JSON.stringify(FleetEventSchema.parse(event))}\n\n`);
      const failover = {
        ...{ type: "failover", time: event.time, sid: "00aa0000", part: "server" },
        ...{ from: masters[1]?.mid, to: master?.mid },
        message: "server of web: home is lost, edge takes over",
      };
      response.write(`event: fleet\ndata: ${JSON.stringify(FleetEventSchema.parse(failover))}\n\n`);
      response.write('event: fleet\ndata: {"type":"of a newer hub"}\n\n');
      return;
    }
    void handle(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = { NP_MASTER_URL: url, NP_API_KEY: fakeToken };
  return Object.assign(hub, { url, requests, masters, services, environment });
}
