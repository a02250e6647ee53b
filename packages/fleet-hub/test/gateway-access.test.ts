import { rawRequest } from "test-support/raw-request";
import { describe, expect, it } from "vitest";
import { addMember, addRealMaster, MID, SUFFIX, startGateway } from "./support/start-gateway.ts";

const ok = () => Response.json({ fine: true });
const OTHER = "00000000000000b2";

describe("who is let in", () => {
  // Statuses: what the hub says, 200 where the master is asked.
  const routes = [
    ["GET", "/api/instances", 200, 200, 200],
    ["HEAD", "/api/info", 200, 200, 200],
    ["GET", "/api/events", 200, 200, 200],
    ["OPTIONS", "/api/instances", 200, 200, 200],
    ["POST", "/api/events/ticket", 200, 200, 200],
    ["POST", "/api/instances", 403, 200, 200],
    ["PUT", "/api/instances/aaaaaaaa", 403, 200, 200],
    ["PATCH", "/api/instances/aaaaaaaa", 403, 200, 200],
    ["DELETE", "/api/v1/instances/aaaaaaaa", 403, 200, 200],
    ["POST", "/api/info", 403, 200, 200],
    ["POST", "/api/v2", 403, 200, 200],
    ["POST", "/api/keys/full", 403, 403, 200],
    ["POST", "/api/v1/keys/read", 403, 403, 200],
    ["POST", "/api/ke%79s/full", 403, 403, 200],
    ["PATCH", "/api/instances/********", 403, 403, 200],
    ["PATCH", "/api/instances/%2A%2a******", 403, 403, 200],
    ["POST", "/api/sign-in", 403, 403, 200],
  ] as const;

  it.each(routes)("%s %s: viewer %i, operator %i, admin %i", async (method, path, ...statuses) => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    for (const [index, role] of (["viewer", "operator", "admin"] as const).entries()) {
      const asked = member.asked.length;
      const headers = { "X-API-Key": gateway.fleet.token(role) };
      const { status } = await fetch(`${gateway.base}${path}`, { method, headers });
      expect(status, role).toBe(statuses[index]);
      expect(member.asked.length - asked, role).toBe(status === 200 ? 1 : 0);
      if (status === 200) expect(member.asked.at(-1)).toMatchObject({ access: role, method });
    }
  });

  it("takes a token as a bearer, too, and tells it to no master", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    const token = gateway.fleet.token("admin");
    const given = [
      { Authorization: `Bearer ${token}` },
      { "X-API-Key": token },
      { "X-API-Key": token, Authorization: "Bearer own" },
      { "X-API-Key": "own", Authorization: `Bearer ${token}`, "X-Copy": token },
    ];
    for (const headers of given) {
      expect((await fetch(`${gateway.base}/api/info`, { headers })).status).toBe(200);
      expect(JSON.stringify(member.asked.at(-1)?.headers)).not.toContain(token);
    }
    expect(member.asked.map(({ access }) => access)).toEqual(["admin", "admin", "admin", "key"]);
  });

  it("gives browsers tickets for a master's events, by a token's role", async () => {
    const gateway = await startGateway();
    const { master } = await addRealMaster(gateway);
    const headers = { "X-API-Key": gateway.fleet.token("viewer") };
    const url = `${gateway.base}/api/events`;
    const made = await fetch(`${url}/ticket`, { method: "POST", headers });
    expect(made.status).toBe(201);
    const { ticket } = (await made.json()) as { ticket: string };
    const own = await fetch(`${gateway.base}/api/instances`, {
      method: "POST",
      headers: { "X-API-Key": master.apiKey },
      body: JSON.stringify({ url: "client://s3cret@127.0.0.1:0/127.0.0.1:9?mode=1" }),
    });
    expect(own.status).toBe(201);
    const stream = await fetch(`${url}?ticket=${ticket}`);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("127.0.0.1:9")) text += (await reader?.read())?.value ?? "";
    expect(text).toContain("***@");
    expect(text).not.toContain("s3cret");
    await reader?.cancel();
    expect((await fetch(`${url}?ticket=${ticket}`)).status).toBe(401);
    // A ticket changes nothing, so nothing of it is in the audit.
    expect(gateway.fleet.passed.map(({ what }) => what)).toEqual(["POST /api/instances"]);
  });

  it("hides masters that a token's selector does not have", async () => {
    const gateway = await startGateway();
    addMember(gateway, ok);
    const headers = { "X-API-Key": gateway.fleet.token("admin", "region=us") };
    const response = await fetch(`${gateway.base}/api/info`, { headers });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "there is no such master" });
  });

  it("counts wrong tokens by address, and never refuses the right one", async () => {
    const gateway = await startGateway();
    addMember(gateway, ok);
    const statuses = new Set<number>();
    for (let attempt = 0; attempt < 25; attempt++) {
      const headers = { "X-API-Key": `npf_wrong${attempt}` };
      const response = await fetch(`${gateway.base}/api/info`, { headers });
      statuses.add(response.status);
      if (response.status === 401) {
        expect(response.headers.get("www-authenticate")).toContain("Bearer");
        expect(response.headers.get("access-control-allow-origin")).toBe("*");
      } else expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      await response.body?.cancel();
    }
    expect(statuses).toEqual(new Set([401, 429]));
    const headers = { "X-API-Key": gateway.fleet.token("viewer") };
    expect((await fetch(`${gateway.base}/api/info`, { headers })).status).toBe(200);
  });

  it("tells the master the address of whoever asks, so that it counts wrong keys itself", async () => {
    const gateway = await startGateway();
    await addRealMaster(gateway);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 25; attempt++) {
      const headers = { "X-API-Key": "wrong" };
      const response = await fetch(`${gateway.base}/api/info`, { headers });
      statuses.push(response.status);
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(gateway.messenger.members.get(MID)?.asked[0]?.remote).toBe("127.0.0.1");
  });
});

describe("a master that is not there", () => {
  it.each([
    ["was lost", MID, undefined, 503],
    ["was never there, asked with a key of its own", OTHER, undefined, 404],
    ["was never there, asked with a fleet's token", OTHER, "admin", 404],
    ["has no id", "nobody", "admin", 404],
  ] as const)("%s", async (_what, mid, role, status) => {
    const gateway = await startGateway();
    addMember(gateway, ok);
    gateway.messenger.lose(MID);
    const key = role === undefined ? "own" : gateway.fleet.token(role);
    const url = `http://127.0.0.1:${gateway.port}/api/masters/${mid}/api/info`;
    const response = await fetch(url, { headers: { "X-API-Key": key } });
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });
});

describe("a body", () => {
  const big = "x".repeat(1_048_577);

  it("over 1 MiB is refused by its length, and as it arrives", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    const headers = { "X-API-Key": gateway.fleet.token("operator") };
    const url = `${gateway.base}/api/instances`;
    const known = await fetch(url, { method: "POST", headers, body: big });
    expect(known.status).toBe(413);
    expect(await known.json()).toEqual({ error: "body over 1 MiB" });
    const body = new Blob([big]).stream();
    const init = { method: "POST", headers, body, duplex: "half" } as const;
    expect((await fetch(url, init)).status).toBe(413);
    expect(member.asked).toEqual([]);
    const fits = { method: "POST", headers, body: big.slice(1) };
    expect((await fetch(url, fits)).status).toBe(200);
    expect(member.asked[0]?.body.byteLength).toBe(1_048_576);
  });

  it("of whoever has no key, or a wrong one, is not read", async () => {
    const gateway = await startGateway();
    const { member } = await addRealMaster(gateway);
    const url = `${gateway.base}/api/instances`;
    const none = await fetch(url, { method: "POST", body: big });
    expect(none.status).toBe(401);
    const headers = { "X-API-Key": "wrong" };
    expect((await fetch(url, { method: "POST", headers, body: big })).status).toBe(401);
    expect(member.asked.every(({ body }) => body.byteLength === 0)).toBe(true);
  });
});

describe("a write", () => {
  it("is in the audit before the master hears of it, with who and from where", async () => {
    const gateway = await startGateway();
    const { master, member } = await addRealMaster(gateway);
    const url = `${gateway.base}/api/info?secret=1`;
    const ask = (key: string) =>
      fetch(url, { method: "POST", headers: { "X-API-Key": key }, body: '{"alias":"a"}' });
    expect((await ask(gateway.fleet.token("operator"))).status).toBe(200);
    expect((await ask(master.apiKey)).status).toBe(200);
    const { passed } = gateway.fleet;
    expect(passed).toEqual([
      {
        caller: expect.objectContaining({ role: "operator" }),
        mid: MID,
        what: "POST /api/info",
        from: "127.0.0.1",
      },
      { caller: undefined, mid: MID, what: "POST /api/info", from: "127.0.0.1" },
    ]);
    gateway.fleet.auditWorks = false;
    const asked = member.asked.length;
    const refused = await ask(gateway.fleet.token("operator"));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ error: "the change can't be recorded" });
    expect(member.asked).toHaveLength(asked);
  });

  it("of whoever has a key for reading is refused by the master, and leaves no trace", async () => {
    const gateway = await startGateway();
    const { master, member } = await addRealMaster(gateway);
    const made = await fetch(`${gateway.base}/api/keys/read`, {
      method: "POST",
      headers: { "X-API-Key": master.apiKey },
    });
    const { key } = (await made.json()) as { key: string };
    expect(gateway.fleet.passed).toHaveLength(1);
    const headers = { "X-API-Key": key };
    for (const path of ["/api/instances", "/api/keys/full", "/api/%69nfo"]) {
      const response = await fetch(`${gateway.base}${path}`, {
        method: "POST",
        headers,
        body: "{}",
      });
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({ error: "this key may only read" });
    }
    // Agents have only POST; a key for reading reads.
    const agent = await fetch(`${gateway.base}/api/v2`, { method: "POST", headers, body: "x" });
    expect(member.asked.at(-1)).toMatchObject({ method: "POST", path: "/api/v2" });
    await agent.body?.cancel();
    expect(gateway.fleet.passed).toHaveLength(1);
  });

  it("of whoever has no key of the master's leaves no trace: the record is not theirs to fill", async () => {
    const gateway = await startGateway();
    await addRealMaster(gateway);
    for (const key of ["wrong", undefined]) {
      const headers = key === undefined ? {} : { "X-API-Key": key };
      for (const path of ["/api/info", "/api/instances", "/api/nothing", "/x"]) {
        const { status } = await fetch(`${gateway.base}${path}`, { method: "POST", headers });
        expect([401, 404, 429]).toContain(status);
      }
    }
    expect(gateway.fleet.passed).toEqual([]);
  });
});

describe("a request in disguise", () => {
  const send = (port: number, text: string) =>
    rawRequest(port, `${text}\r\n`).over.then((answer) => answer.text);
  const close = "Connection: close\r\n";

  it("does not leave its master by dots in its path", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    for (const dots of ["..", "%2e%2e", "%2E.", ".%2e"]) {
      const path = `/api/masters/${MID}/${dots}/${OTHER}/api/info`;
      const text = await send(gateway.port, `GET ${path} HTTP/1.1\r\nHost: hub\r\n${close}`);
      // It is another master's, whose access is checked anew.
      expect(text).toMatch(/^HTTP\/1.1 404 /);
    }
    for (const path of [
      `/api/masters/${MID}/..\\..\\fleet`,
      `/api/masters/..%2f${MID}/api/info`,
      `/api/masters/%2e%2e%2ffleet`,
      `/api/m%61sters/${MID}/api/info`,
    ]) {
      const text = await send(gateway.port, `GET ${path} HTTP/1.1\r\nHost: hub\r\n${close}`);
      expect(text, path).toMatch(/^HTTP\/1.1 (?:400|404) /);
    }
    expect(member.asked).toEqual([]);
  });

  it("reaches the master with encoded slashes and line breaks as they are, and no header more", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    const path = "/api/instances/a%2Fb%0d%0aX-API-Key:%20x?y=%0d%0aX:%201";
    const line = `GET /api/masters/${MID}${path} HTTP/1.1`;
    await send(gateway.port, `${line}\r\nHost: hub\r\nX-One: 1\r\n${close}`);
    expect(member.asked[0]?.path).toBe(path);
    expect(member.asked[0]?.headers).toEqual([
      ["host", "hub"],
      ["x-one", "1"],
    ]);
    const header = `GET /api/masters/${MID}/api HTTP/1.1\r\nHost: hub\r\nX: a\rb\r\n${close}`;
    expect(await send(gateway.port, header)).toMatch(/^HTTP\/1.1 400 /);
    expect(member.asked).toHaveLength(1);
  });

  it("is one request, whatever its lengths say", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    const key = `X-API-Key: ${gateway.fleet.token("admin")}\r\n`;
    const inner = `GET /api/masters/${MID}/api/inner HTTP/1.1\r\nHost: hub\r\n\r\n`;
    const both = `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n`;
    const line = `POST /api/masters/${MID}/api/info HTTP/1.1\r\nHost: hub\r\n${key}`;
    const text = await send(gateway.port, `${line}${both}${close}\r\n0\r\n\r\n${inner}`);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(member.asked).toEqual([]);
  });

  it("drops what is for one connection only, and what a Connection header names", async () => {
    const gateway = await startGateway();
    const member = addMember(
      gateway,
      () =>
        new Response("{}", {
          headers: {
            ...{ Connection: "close, X-Hop", "X-Hop": "1", "Set-Cookie": "a=b", "X-Kept": "1" },
            ...{ "Clear-Site-Data": '"storage"', "Strict-Transport-Security": "max-age=1" },
            ...{ "Transfer-Encoding": "chunked", "Content-Length": "5" },
          },
        }),
    );
    const hops = "Connection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n";
    const more = "Proxy-Authorization: Basic eA==\r\nKeep-Alive: 5\r\nX-Kept: 1\r\nCookie: a=b\r\n";
    const line = `GET /api/masters/${MID}/api/info HTTP/1.1\r\nHost: hub\r\n`;
    const text = await send(gateway.port, `${line}${hops}${more}`);
    expect(member.asked[0]?.headers).toEqual([
      ["host", "hub"],
      ["x-kept", "1"],
    ]);
    const head = text.toLowerCase();
    expect(head).toContain("x-kept: 1");
    expect(head).toContain("content-length: 2\r\n");
    for (const name of ["x-hop", "set-cookie", "clear-site", "strict-transport", "chunked"]) {
      expect(head).not.toContain(name);
    }
  });

  it("is a master's only by its whole host name, however it is written", async () => {
    const gateway = await startGateway();
    const member = addMember(gateway, ok);
    const status = async (request: string) =>
      Number((await send(gateway.port, `${request}${close}`)).slice(9, 12));
    const { port } = gateway;
    const host = `${MID}.${SUFFIX}`;
    const right = [
      `Host: ${host}`,
      `Host: ${host}:${port}`,
      `Host: ${host.toUpperCase()}`,
      `Host: ${host}.`,
    ];
    for (const line of right) {
      expect(await status(`GET /api/info HTTP/1.1\r\n${line}\r\n`), line).toBe(200);
    }
    expect(await status(`GET http://${host}/api/info HTTP/1.1\r\nHost: hub\r\n`)).toBe(200);
    const path = `/api/masters/${MID}/api/info`;
    expect(await status(`GET http://hub${path} HTTP/1.1\r\nHost: ${host}\r\n`)).toBe(200);
    expect(member.asked.map((one) => one.path)).toEqual(Array(6).fill("/api/info"));
    const wrong = [
      `Host: x${host}`,
      `Host: ${host}.evil.example`,
      `Host: ${SUFFIX}`,
      `Host: ${MID}`,
      `Host: x.${host}`,
      `Host: ${MID}-${SUFFIX}`,
    ];
    for (const line of wrong) {
      expect(await status(`GET /api/info HTTP/1.1\r\n${line}\r\n`), line).toBe(404);
    }
    for (const line of ["Host: a/b", "Host: a b", "Host: a\r\nHost: b", `Host: ${host}@evil`]) {
      expect(await status(`GET /api/info HTTP/1.1\r\n${line}\r\n`), line).toBe(400);
    }
    expect(member.asked).toHaveLength(6);
  });

  it("is refused where a master says what HTTP has no words for", async () => {
    const gateway = await startGateway();
    addMember(gateway, ok);
    const { messenger } = gateway;
    const body = new TextEncoder().encode("{}");
    const answers = [
      { status: 101, headers: [], body, streamed: false },
      { status: 200, headers: [["x\r\ny", "1"]], body, streamed: false },
      { status: 200, headers: [["x", "1\r\nSet-Cookie: a=b"]], body, streamed: false },
    ] as const;
    for (const answer of answers) {
      messenger.api = async () => ({ ...answer, headers: answer.headers.map(([a, b]) => [a, b]) });
      const response = await fetch(`${gateway.base}/api/info`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ error: "the master's answer can't be read" });
    }
  });

  it.each([
    ["ui/", true, true],
    ["../docs", true, true],
    ["/api/docs", false, true],
    ["?page=2", true, true],
    ["http://evil.example/", false, false],
    ["https://gateway/x", false, false],
    ["//evil.example/", false, false],
    ["/\\evil.example", false, false],
    ["ht\ttps://evil.example", false, false],
    ["https:evil", false, false],
    ["javascript:alert(1)", false, false],
    ["../../../../fleet/masters/x", false, true],
    ["%2e%2e/../.%2E/%2e%2e/x", false, true],
    [`../../../${OTHER}/api/instances`, false, true],
  ])("a redirect to %j: by path %j, by name or port %j", async (location, byPath, byPort) => {
    const gateway = await startGateway();
    addMember(gateway, () => new Response(null, { status: 307, headers: { Location: location } }));
    const led = async (url: string) => {
      const { status, headers } = await fetch(url, { redirect: "manual" });
      expect(status).toBe(307);
      return headers.get("location");
    };
    expect(await led(`${gateway.base}/api/v1/instances`)).toBe(byPath ? location : null);
    const own = `http://127.0.0.1:${gateway.ownPort}/api/v1/instances`;
    expect(await led(own)).toBe(byPort ? location : null);
  });

  it("gives a page under the hub's own origin no part in it", async () => {
    const gateway = await startGateway();
    addMember(
      gateway,
      () => new Response("<script>", { headers: { "Content-Type": "text/html" } }),
    );
    const boxed = await fetch(`${gateway.base}/evil`);
    expect(boxed.headers.get("content-security-policy")).toMatch(/^sandbox (?!.*same-origin)/);
    const own = await fetch(`http://127.0.0.1:${gateway.ownPort}/evil`);
    expect(own.headers.get("content-security-policy")).toBeNull();
  });

  it("is led to where a master's links work", async () => {
    const gateway = await startGateway();
    const response = await fetch(gateway.base, { redirect: "manual" });
    expect(response.status).toBe(308);
    expect(response.headers.get("location")).toBe(`${MID}/`);
  });
});
