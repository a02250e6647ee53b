import { describe, expect, it } from "vitest";
import { createAskedHub, MID, SID } from "./support/asked-hub.ts";

const errorOf = async (response: Response) => ((await response.json()) as { error: string }).error;

describe("a request that can't be understood", () => {
  it.each([
    ["GET", "/fleet/masters?selector=a%20b", undefined, "selector: condition"],
    ["GET", "/fleet/masters?status=dead", undefined, "status: "],
    ["GET", "/fleet/instances?status=x", undefined, "status: "],
    ["GET", "/fleet/audit?limit=0", undefined, "limit: "],
    ["GET", "/fleet/audit?before=x", undefined, "before: not an integer"],
    ["GET", "/fleet/events?instances=1", undefined, "instances: neither true nor false"],
    ["GET", "/fleet/export?format=xml", undefined, "format: not nodepassdash"],
    ["POST", "/fleet/services", "{", "body is not JSON"],
    ["POST", "/fleet/services", '{"parts":[]}', "parts: "],
    ["POST", "/fleet/services", '{"parts":[{"url":""}]}', "parts.0.url: missing"],
    ["POST", "/fleet/services", '{"parts":[{"url":"x","selector":"a b"}]}', "parts.0.selector: "],
    [
      "PATCH",
      `/fleet/services/${SID}`,
      '{"policy":{"ttl":1}}',
      "policy.ttl: 1 is not a whole number from 3 to 300",
    ],
    [
      "POST",
      "/fleet/tokens",
      '{"kind":"join","ttl":5}',
      "ttl: 5 is not a whole number from 60 to 315360000",
    ],
    ["POST", "/fleet/tokens", '{"kind":"join","uses":"2"}', "uses: a string is not a whole number"],
    [
      "PATCH",
      `/fleet/masters/${MID}`,
      '{"nonsense":1}',
      '"nonsense" is not known here (allowed: name, labels, address, draining)',
    ],
    ["POST", "/fleet/services", '{"parts":[{"url":"x","on":"y"}]}', 'parts.0: "on" is not known'],
    ["POST", `/fleet/services/${SID}/move`, '{"target":"x"}', '"target" is not known here'],
    ["POST", `/fleet/masters/${MID}/adopt`, '{"instance":"a","x":1}', '"x" is not known'],
    ["PUT", `/fleet/services/${SID}`, '{"parts":[{"url":"x","master":"b"}]}', "parts.0.master: "],
    ["POST", `/fleet/services/${SID}/move`, '{"part":"x"}', "part: "],
    ["PATCH", `/fleet/masters/${MID}`, '{"labels":{"a b":"c"}}', "labels: label"],
    ["POST", `/fleet/masters/${MID}/adopt`, "{}", "instance: "],
    ["POST", "/fleet/tokens", '{"kind":"x"}', "kind: "],
    ["POST", "/fleet/join", "{}", "v: "],
    ["POST", "/fleet/import", "{}", "exported: missing"],
  ])("%s %s %s: 400, and says what is wrong", async (method, path, rawBody, message) => {
    const { ask, fleet } = createAskedHub();
    const response = await ask(method, path, rawBody === undefined ? {} : { rawBody });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toContain(message);
    expect(fleet.callers).toEqual([]);
  });

  it("is refused over 1 MiB, but for an import", async () => {
    const { ask } = createAskedHub();
    const exported = "x".repeat(1_048_577);
    expect((await ask("POST", "/fleet/services", { body: { alias: exported } })).status).toBe(413);
    expect((await ask("POST", "/fleet/import", { body: { exported } })).status).toBe(200);
  });
});

it("a master is changed only at the revision that is meant", async () => {
  const { ask } = createAskedHub();
  const path = `/fleet/masters/${MID}`;
  expect((await ask("GET", path)).headers.get("etag")).toBe('"4"');
  const change = (ifMatch: string) =>
    ask("PATCH", path, { body: { labels: {} }, headers: { "If-Match": ifMatch } });
  const changed = await change('"4"');
  expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"5"']);
  expect((await change('"4"')).status).toBe(412);
  expect((await change("4")).status).toBe(400);
  expect((await change("*")).status).toBe(200);
});

describe("a service", () => {
  it("has its revision as ETag, and is changed only at the one that is meant", async () => {
    const { ask, fleet } = createAskedHub();
    const path = `/fleet/services/${SID}`;
    const seen = await ask("GET", path);
    expect(seen.headers.get("etag")).toBe('"7"');
    const change = (ifMatch: string | undefined, method = "PATCH") =>
      ask(method, path, {
        ...(method === "PATCH" && { body: { alias: "x" } }),
        headers: ifMatch === undefined ? {} : { "If-Match": ifMatch },
      });
    const old = await change('"6"');
    expect(old.status).toBe(412);
    expect(await errorOf(old)).toBe("the service is at revision 7");
    const changed = await change('"7"');
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).toBe('"8"');
    expect((await change("*")).status).toBe(200);
    expect((await change(undefined)).status).toBe(200);
    for (const odd of ["7", 'W/"10"', '"10", "11"', '""']) {
      const response = await change(odd);
      expect(response.status, odd).toBe(400);
      expect(await errorOf(response)).toContain("If-Match");
    }
    expect((await change('"9"', "DELETE")).status).toBe(412);
    expect((await change('"10"', "DELETE")).status).toBe(204);
    expect(fleet.allServices.size).toBe(0);
    const gone = await ask("GET", path);
    expect(gone.status).toBe(404);
    expect(await errorOf(gone)).toBe("there is no such service");
  });

  it("is listed by the labels and the name of a master of its parts, and by their state", async () => {
    const { ask } = createAskedHub();
    const count = async (query: string) => {
      const response = await ask("GET", `/fleet/services?${query}`);
      return ((await response.json()) as unknown[]).length;
    };
    for (const query of ["", "selector=region%3Deu", "master=alpha", "status=applied"]) {
      expect(await count(query), query).toBe(1);
    }
    for (const query of ["selector=region%3Dus", "status=failed"]) {
      expect(await count(query), query).toBe(0);
    }
    expect((await ask("GET", "/fleet/services?master=nobody")).status).toBe(404);
  });

  it("is replaced in the form of a new one", async () => {
    const { ask, fleet } = createAskedHub();
    const url = "server://k@0.0.0.0:1/127.0.0.1:3";
    const body = {
      alias: "new",
      tags: { a: "b" },
      parts: [{ role: "server", url, running: false }],
    };
    expect((await ask("PUT", `/fleet/services/${SID}`, { body })).status).toBe(200);
    expect(fleet.calls.at(-1)).toEqual({
      name: "changeService",
      arguments: [
        SID,
        {
          ...{ alias: "new", tags: { a: "b" } },
          policy: { failover: "off", ttl: 15, failback: "never" },
          parts: [{ role: "server", url, running: false }],
        },
        undefined,
      ],
    });
  });
});

it("lets pages of any origin ask, revisions included", async () => {
  const { ask } = createAskedHub();
  const path = `/fleet/services/${SID}`;
  const asked = { "Access-Control-Request-Method": "PATCH", Origin: "https://dash.example" };
  const preflight = await ask("OPTIONS", path, { key: null, headers: asked });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-headers")).toContain("If-Match");
  const answer = await ask("GET", path);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(answer.headers.get("access-control-expose-headers")).toBe("Allow, Retry-After, ETag");
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

it("passes to the fleet what was asked, and by whom", async () => {
  const { ask, fleet } = createAskedHub();
  await ask("GET", "/fleet/instances?selector=region%3Deu&master=alpha&status=error&cursor=c");
  const query = {
    selector: [{ name: "region", is: "equal", value: "eu" }],
    ...{ master: "alpha", status: "error", cursor: "c" },
  };
  const caller = { token: "t-admin", role: "admin", selector: [], from: "192.0.2.1" };
  expect(fleet.calls).toEqual([{ name: "instances", arguments: [caller, query] }]);
  await ask("GET", "/fleet/audit?limit=7");
  expect(fleet.calls.at(-1)).toEqual({ name: "audit", arguments: [{ limit: 7 }] });
  await ask("DELETE", `/fleet/masters/${MID}?stop=true`);
  expect(fleet.calls.at(-1)?.arguments).toEqual([MID, { stop: true }]);
  await ask("DELETE", `/fleet/services/${SID}?keep=true`);
  expect(fleet.calls.at(-1)?.arguments).toEqual([SID, undefined, true]);
});

it("slows down whoever tries join tokens", async () => {
  const { ask, fleet } = createAskedHub();
  fleet.join = async () => {
    throw Object.assign(new Error("the join token has ended"), { code: "FORBIDDEN" });
  };
  const body = {
    ...{ v: 1, token: { id: "t1", secret: "s" }, mid: MID, name: "a", at: 1 },
    ...{
      nkey: `U${"A".repeat(55)}`,
      box: "A".repeat(43),
      nonce: "0".repeat(16),
      sig: "A".repeat(86),
    },
  };
  const statuses = [];
  for (let attempt = 0; attempt < 22; attempt++) {
    statuses.push((await ask("POST", "/fleet/join", { key: null, body })).status);
  }
  expect(statuses).toEqual([...Array(20).fill(403), 429, 429]);
});

describe("metrics", () => {
  it("are a dozen series a master, and the hub's own", async () => {
    const figures = () => [
      { name: "nodepass_hub_bad_messages_total", type: "counter", help: "Bad", value: 3 } as const,
    ];
    const { ask, fleet } = createAskedHub({ figures });
    fleet.addMaster("00000000000000a2", { name: 'b"eta', status: "lost", cpu: -1, lastSeen: null });
    const response = await ask("GET", "/fleet/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    expect(text.split("\n").filter((line) => line.includes(`mid="${MID}"`))).toHaveLength(13);
    const lines = [
      `nodepass_fleet_master_up{mid="${MID}",master="alpha"} 1`,
      'nodepass_fleet_master_up{mid="00000000000000a2",master="b\\"eta"} 0',
      `nodepass_fleet_master_instances{mid="${MID}",master="alpha",status="error"} 3`,
      `nodepass_fleet_master_bytes_total{mid="${MID}",master="alpha",protocol="udp",direction="tx"} 40`,
      'nodepass_fleet_masters{status="lost"} 1',
      "nodepass_fleet_services 1",
      'nodepass_fleet_alarm{alarm="mass-loss"} 0',
      'nodepass_hub_leading{hub="hub1"} 1',
      "nodepass_hub_streams 0",
      "nodepass_hub_bad_messages_total 3",
      'nodepass_build_info{version="1.2.3"} 1',
    ];
    for (const line of lines) expect(text).toContain(`${line}\n`);
    expect(text).not.toMatch(/cpu_percent\{mid="00000000000000a2"/);
    // Each family once, and nothing twice.
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
  });
});

describe("the file for NodePassDash", () => {
  const publicUrl = "https://hub.example:8443/api";

  it("has each master under a root of its own, with the token that asks", async () => {
    const ports = new Map([["00000000000000a2", 9443]]);
    const { ask, fleet, messenger } = createAskedHub({ publicUrl, ports });
    const prefix = "/nodepass";
    messenger.add("00000000000000a3", { fetch: () => new Response(), prefix });
    fleet.addMaster("00000000000000a2", { name: "alpha" });
    fleet.addMaster("00000000000000a3", { name: "", labels: { region: "us" } });
    const key = fleet.token("operator");
    const response = await ask("GET", "/fleet/export?format=nodepassdash", { key });
    expect(response.headers.get("content-disposition")).toBe(
      'attachment; filename="nodepass-endpoints.json"',
    );
    const file = (await response.json()) as {
      data: { endpoints: { url: string; name: string }[] };
    };
    expect(file).toEqual({
      version: "2.0",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        endpoints: [
          {
            ...{ name: `alpha ${MID}`, url: `https://${MID}.gw.example:8443` },
            ...{ apiPath: "/api", apiKey: key },
          },
          {
            ...{ name: "alpha 00000000000000a2", url: "https://hub.example:9443" },
            ...{ apiPath: "/api", apiKey: key },
          },
          {
            ...{ name: "00000000000000a3", url: "https://00000000000000a3.gw.example:8443" },
            ...{ apiPath: "/nodepass", apiKey: key },
          },
        ],
      },
    });
    // It takes each name and each root once.
    const { endpoints } = file.data;
    for (const field of ["url", "name"] as const) {
      expect(new Set(endpoints.map((one) => one[field])).size).toBe(3);
    }
    const scoped = fleet.token("viewer", "region=us");
    const less = await ask("GET", "/fleet/export?format=nodepassdash", { key: scoped });
    expect(await less.json()).toMatchObject({
      data: { endpoints: [{ apiPath: "/nodepass", apiKey: scoped }] },
    });
  });

  it("is refused where no master has a root of its own", async () => {
    const { ask } = createAskedHub({ publicUrl, suffix: "" });
    const response = await ask("GET", "/fleet/export?format=nodepassdash");
    expect(response.status).toBe(409);
    expect(await errorOf(response)).toContain("no suffix for host names");
  });
});
