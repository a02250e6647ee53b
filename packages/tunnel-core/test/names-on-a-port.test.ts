import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { promisify } from "node:util";
import { EntryPorts, type LogRecord, openTunnel, type Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Authority, makeAuthority } from "./support/authority.ts";
import { documentedUrls } from "./support/documented.ts";
import { findProgram, ownAddress } from "./support/middle-boxes.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { LIMITS, tunnelPort } from "./support/tunnel-pair.ts";
import { dial, endUsers, readAll, refusalOf } from "./support/users.ts";

const run = promisify(execFile);
const curl = findProgram("curl");
const openssl = findProgram("openssl");
const HOST = ownAddress(200);

let authority: Authority;
const servers: Server[] = [];

/** A web site that says its name and the name that it was asked for. */
async function site(name: string, kind: "http" | "https" | "h2c"): Promise<string> {
  const query = new URLSearchParams(authority.query);
  const [cert, key] = await Promise.all(
    ["crt", "key"].map((file) => readFile(query.get(file) ?? "", "utf8")),
  );
  const server: Server =
    kind === "https"
      ? createHttps({ cert, key }, (request, response) => {
          response.end(`${name} ${request.headers.host}`);
        })
      : kind === "http"
        ? createHttp((request, response) => response.end(`${name} ${request.headers.host}`))
        : createHttp2((request, response) => {
            response.end(`${name} ${request.authority}`);
          });
  server.on("connection", (socket) => socket.unref());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

beforeAll(async () => {
  authority = await makeAuthority();
});
afterAll(() => authority.remove());

let entries: EntryPorts;
const ends: Tunnel[] = [];
const logs: LogRecord[] = [];
/** Each test has a port of its own. */
let port = 8080;

beforeEach(() => {
  entries = new EntryPorts();
  logs.length = 0;
  port++;
});
afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
  for (const server of servers.splice(0)) server.close();
  await expectNoSockets();
});

async function open(url: string, takeOver?: Tunnel): Promise<Tunnel> {
  const end = await openTunnel(url, {
    entries,
    takeOver,
    limits: { ...LIMITS, handshakeTimeoutMs: 300 },
    onCreate: (tunnel) => tunnel.on("log", (record) => logs.push(record)),
  });
  ends.push(end);
  return end;
}

/** A tunnel to a site, its users at the shared port. */
async function serve(target: string, query: string): Promise<Tunnel> {
  const server = await open(`server://k@127.0.0.1:0/${HOST}:${port}?mode=1&noudp=1&${query}`);
  const client = await open(`client://k@127.0.0.1:${tunnelPort(server)}/${target}?mode=2&min=2`);
  await client.ready();
  return server;
}

/** What curl gets for a URL whose host is at the shared port. */
async function fetched(url: string, ...more: string[]): Promise<string> {
  const { hostname } = new URL(url);
  const at = url.replace(hostname, `${hostname}:${port}`);
  const { stdout } = await run(curl ?? "", [
    ...["-sk", "--max-time", "20", "--resolve", `${hostname}:${port}:${HOST}`, ...more],
    at,
  ]);
  return stdout.replaceAll(`:${port}`, "");
}

const browser = findProgram("chromium");
if (browser === undefined) {
  process.stderr.write("names on a port: no browser here (Debian: apt-get install chromium)\n");
}

/** The text of a page in a browser of its own profile. */
async function seen(url: string): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), "names-browser-"));
  try {
    const { stdout } = await run(
      browser ?? "",
      [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--no-first-run", "--no-proxy-server", "--disable-background-networking"],
        ...["--ignore-certificate-errors", `--user-data-dir=${profile}`],
        ...[`--host-resolver-rules=MAP * ${HOST}`, "--dump-dom", url],
      ],
      { timeout: 60_000 },
    );
    return stdout.replaceAll(/<[^>]*>/g, "").trim();
  } finally {
    await rm(profile, { recursive: true, maxRetries: 5 });
  }
}

test.skipIf(browser === undefined)(
  "a browser finds three HTTPS sites and an HTTP one",
  async () => {
    for (const name of ["app", "shop", "mail"]) {
      await serve(await site(name, "https"), `host=${name}.example.com`);
    }
    await serve(await site("plain", "http"), "host=plain.example.com");
    for (const name of ["app", "shop", "mail"]) {
      expect(await seen(`https://${name}.example.com:${port}/`)).toContain(
        `${name} ${name}.example`,
      );
    }
    expect(await seen(`http://plain.example.com:${port}/`)).toContain("plain plain.example.com");
  },
);

describe.skipIf(curl === undefined)("sites on one port", () => {
  test("HTTPS and HTTP, by SNI and Host, whole names, domains and the rest", async () => {
    await serve(await site("app", "https"), "host=app.example.com");
    await serve(await site("dev", "https"), "host=*.dev.example.com");
    await serve(await site("plain", "http"), "host=plain.example.com");
    await serve(await site("rest", "https"), "");
    expect(await fetched("https://app.example.com/")).toBe("app app.example.com");
    expect(await fetched("https://a.b.dev.example.com/")).toBe("dev a.b.dev.example.com");
    expect(await fetched("http://plain.example.com/")).toBe("plain plain.example.com");
    expect(await fetched("https://other.example.org/")).toBe("rest other.example.org");
    // HTTP/1.0, and a request for a whole URL.
    expect(await fetched("http://plain.example.com/", "--http1.0")).toMatch(/^plain /);
    const big = await fetched("http://plain.example.com/", "-d", "x".repeat(100_000));
    expect(big).toMatch(/^plain /);
  });

  test("HTTP/2 with prior knowledge, by :authority", async () => {
    await serve(await site("one", "h2c"), "host=one.example.com");
    await serve(await site("two", "h2c"), "host=two.example.com");
    expect(await fetched("http://two.example.com/", "--http2-prior-knowledge")).toBe(
      "two two.example.com",
    );
    expect(await fetched("http://one.example.com/", "--http2-prior-knowledge")).toBe(
      "one one.example.com",
    );
    const missing = await fetched(
      "http://three.example.com/",
      ...["--http2-prior-knowledge", "-w", " %{http_code} %{http_version}"],
    );
    expect(missing).toBe('No tunnel on this port serves "three.example.com".\n 404 2');
  });

  test("a name that nobody serves is told so, in the user's protocol", async () => {
    const server = await serve(await site("app", "https"), "host=app.example.com");
    const missing = await fetched("http://no.example.com/", "-w", " %{http_code}");
    expect(missing).toBe('No tunnel on this port serves "no.example.com".\n 404');
    await expect(fetched("https://no.example.com/")).rejects.toMatchObject({
      // SSL connect error.
      code: 35,
    });
    expect(server.counters().refusedName).toBe(2);
    expect(logs).toContainEqual({
      level: "warn",
      message: "connection refused: nobody serves the name it asks for",
      fields: { address: expect.any(String), name: "no.example.com" },
    });
  });

  test.skipIf(openssl === undefined)("openssl sees the alert unrecognized_name", async () => {
    await serve(await site("app", "https"), "host=app.example.com");
    const child = spawn(openssl ?? "", [
      "s_client",
      ...["-connect", `${HOST}:${port}`, "-servername", "no.example.com"],
    ]);
    child.stdin.end();
    const [said] = await Promise.all([readText(child.stderr), once(child, "exit")]);
    expect(said).toMatch(/unrecognized name/);
  });
});

describe("what names nobody", () => {
  test("goes to the instance without host, also when it waits for the target's word", async () => {
    const { startScriptedTarget } = await import("./support/scripted-target.ts");
    const target = await startScriptedTarget();
    target.onTcp = (socket) => {
      socket.write("220 hello\r\n");
      socket.pipe(socket);
    };
    await serve(await site("app", "http"), "host=app.example.com");
    await serve(target.at, "");
    const silent = await dial({ host: HOST, port });
    expect(String((await once(silent, "data"))[0])).toBe("220 hello\r\n");
    const binary = await dial({ host: HOST, port });
    const answer = readAll(binary);
    binary.end(Buffer.from([0, 1, 2]));
    expect((await answer).toString("latin1")).toBe("220 hello\r\n\0\x01\x02");
    await target.close();
  });

  test("is closed where there is none, and nobody waits for ever", async () => {
    const server = await serve(await site("app", "http"), "host=app.example.com");
    expect(await refusalOf({ host: HOST, port })).toBe("ECONNRESET");
    const half = await dial({ host: HOST, port });
    half.write("GET / HTTP/1.1\r\nHost: app.exam");
    half.resume();
    await once(half, "close").catch(() => undefined);
    const noise = await dial({ host: HOST, port });
    noise.write(Buffer.alloc(100, 0xff));
    noise.resume();
    await once(noise, "close").catch(() => undefined);
    expect(server.counters().refusedName).toBe(3);
    expect(server.counters().tcps).toBe(0);
  });
});

describe("instances on one port", () => {
  const entry = () => `${HOST}:${port}`;

  test("need other names, and say whose theirs are", async () => {
    const url = (query: string) => `server://k@127.0.0.1:0/${entry()}?mode=1&noudp=1${query}`;
    const rest = await open(url(""));
    await open(url("&host=a.example.com,b.example.com"));
    await expect(open(url("&host=c.example.com,b.example.com"))).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
      message: `address ${entry()} (tcp) is in use for the name b.example.com by another tunnel`,
    });
    await expect(open(url(""))).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    await rest.close({ timeoutMs: 0 });
    await open(url(""));
    // Who was given no shared ports has the port alone, as ever.
    await expect(openTunnel(url("&host=z.example.com"))).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
    });
  });

  test("come and go, all at once and one after the other, and the port is closed at last", async () => {
    const at = await site("app", "http");
    const tunnels = await Promise.all(
      Array.from({ length: 8 }, (_, index) => serve(at, `host=n${index}.example.com`)),
    );
    for (const [index, tunnel] of tunnels.entries()) {
      const socket = await dial({ host: HOST, port });
      const answer = readAll(socket);
      socket.write(`GET / HTTP/1.0\r\nHost: n${index}.example.com\r\n\r\n`);
      expect(String(await answer)).toMatch(/^HTTP\/1\.1 200 /);
      await tunnel.close({ timeoutMs: 0 });
    }
    await expect(dial({ host: HOST, port })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("can take over one another's names without closing the port", async () => {
    const at = await site("app", "http");
    const server = await serve(at, "host=a.example.com");
    const keyed = (query: string) =>
      `server://k@127.0.0.1:${tunnelPort(server)}/${entry()}?mode=1&noudp=1&${query}`;
    const next = await open(keyed("host=a.example.com,c.example.com&tls=0&path=/x"), server);
    expect(next.state).toBe("running");
    const other = await open(`server://k@127.0.0.1:0/${entry()}?mode=1&noudp=1&host=b.example.com`);
    await expect(open(keyed("host=b.example.com"), next)).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
    });
    expect(next.state).not.toBe("closed");
    expect(other.state).toBe("running");
  });

  test("with one trusted proxy for all: the header, then the name", async () => {
    const at = await site("app", "http");
    const trusting = await serve(at, `host=a.example.com&trust=${HOST}`);
    const other = await serve(at, "host=b.example.com");
    const remotes: string[] = [];
    trusting.on("connection", ({ remote }) => remotes.push(remote));
    const ask = async (name: string): Promise<string> => {
      const socket = await dial({ host: HOST, port }, HOST);
      const answer = readAll(socket).catch(() => Buffer.alloc(0));
      const gone = once(socket, "close").then(
        () => Buffer.alloc(0),
        () => Buffer.alloc(0),
      );
      socket.write(
        `PROXY TCP4 203.0.113.7 192.0.2.1 7 80\r\nGET / HTTP/1.0\r\nHost: ${name}\r\n\r\n`,
      );
      return String(await Promise.race([answer, gone]));
    };
    expect(await ask("a.example.com")).toMatch(/200 OK/);
    expect(remotes[0]).toBe("203.0.113.7:7");
    expect(await ask("b.example.com")).toBe("");
    expect(other.counters().refusedProxied).toBe(1);
  });
});

test.skipIf(curl === undefined)("docs/many-to-many.md tells names on one port", async () => {
  const urls = documentedUrls("Names on one users' port", { "/:443": `/${HOST}:${port}` });
  const sites = [
    await site("app", "https"),
    await site("dev", "https"),
    await site("rest", "https"),
  ];
  for (const [index, url] of urls.entries()) {
    const server = await open(url.replace(/@:\d+/, "@127.0.0.1:0"));
    const [, key = ""] = /\/\/([^@]+)@/.exec(url) ?? [];
    const client = await open(
      `client://${key}@127.0.0.1:${tunnelPort(server)}/${sites[index]}?mode=2&min=2`,
    );
    await client.ready();
  }
  expect(urls).toHaveLength(3);
  expect(await fetched("https://app.example.com/")).toMatch(/^app /);
  expect(await fetched("https://x.dev.example.com/")).toMatch(/^dev /);
  expect(await fetched("https://example.org/")).toMatch(/^rest /);
});
