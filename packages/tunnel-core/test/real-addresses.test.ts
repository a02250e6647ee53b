import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { promisify } from "node:util";
import type { LogRecord, Tunnel } from "@nodepass/tunnel-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { proxyHeader } from "../src/wire/proxy-header.ts";
import { proxyHeader2, readProxyHeader } from "../src/wire/proxy-header-2.ts";
import { type Authority, makeAuthority, SERVER_NAME } from "./support/authority.ts";
import { documentedUrls } from "./support/documented.ts";
import {
  findProgram,
  type MiddleBox,
  ownAddress,
  startHaproxyWith,
  startNginxWith,
} from "./support/middle-boxes.ts";
import { expectNoSockets } from "./support/no-leaks.ts";
import { entryOf, eventually, openEnd, tunnelPort } from "./support/tunnel-pair.ts";
import { dial, endUsers, readAll, refusalOf } from "./support/users.ts";

const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
const run = promisify(execFile);
const haproxy = findProgram("haproxy");
const nginx = findProgram("nginx", "nginx-light");
const curl = findProgram("curl");
const openssl = findProgram("openssl");

interface At {
  readonly host: string;
  readonly port: number;
}
const text = ({ host, port }: At): string => `${host}:${port}`;

const ends: Tunnel[] = [];
const logs: LogRecord[] = [];
async function open(url: string): Promise<Tunnel> {
  const end = await openEnd(url, logs);
  ends.push(end);
  return end;
}

afterEach(async () => {
  endUsers();
  for (const end of ends.splice(0).reverse()) await end.close({ timeoutMs: 0 });
});

/** Programs that put a header in front. */
const SENDERS: Readonly<
  Record<
    string,
    { start(program: string, at: At, to: At): Promise<MiddleBox>; program: string | undefined }
  >
> = {
  "haproxy v1": {
    program: haproxy,
    start: (program, at, to) =>
      startHaproxyWith(
        program,
        at,
        `listen out\n  mode tcp\n  bind ${text(at)}\n  server next ${text(to)} send-proxy source ${at.host}\n`,
      ),
  },
  "haproxy v2": {
    program: haproxy,
    start: (program, at, to) =>
      startHaproxyWith(
        program,
        at,
        `listen out\n  mode tcp\n  bind ${text(at)}\n  server next ${text(to)} send-proxy-v2 source ${at.host}\n`,
      ),
  },
  "nginx v1": {
    program: existsSync(STREAM_MODULE) ? nginx : undefined,
    start: (program, at, to) =>
      startNginxWith(
        program,
        at,
        `stream { server { listen ${text(at)}; proxy_pass ${text(to)}; proxy_bind ${at.host}; proxy_protocol on; } }\n`,
        `load_module ${STREAM_MODULE};`,
      ),
  },
};
if (!existsSync(STREAM_MODULE)) {
  console.warn("left out: nginx has no stream module here (Debian's package libnginx-mod-stream)");
}

/** Programs that take one off and say whose the connection is. */
const RECEIVERS: Readonly<
  Record<
    string,
    { start(program: string, at: At): Promise<MiddleBox>; program: string | undefined }
  >
> = {
  haproxy: {
    program: haproxy,
    start: (program, at) =>
      startHaproxyWith(
        program,
        at,
        `frontend in\n  mode http\n  bind ${text(at)} accept-proxy\n  http-request return status 200 content-type text/plain lf-string "%[src]"\n`,
      ),
  },
  nginx: {
    program: nginx,
    start: (program, at) => {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((kind) => `${kind}_temp_path FOLDER/${kind};`)
        .join(" ");
      return startNginxWith(
        program,
        at,
        `http { access_log off; ${temporary} server { listen ${text(at)} proxy_protocol; location / { return 200 "$proxy_protocol_addr"; } } }\n`,
      );
    },
  },
};

const VISITOR = ownAddress(91);
let nextHost = 20;
const newHost = (): string => ownAddress(nextHost++);

describe.skipIf(curl === undefined)("real senders and receivers", () => {
  const cases = Object.entries(SENDERS).flatMap(([from, sender]) =>
    Object.entries(RECEIVERS).flatMap(([to, receiver]) =>
      [1, 2].map((version) => ({ from, to, version, sender, receiver })),
    ),
  );

  test.each(cases.filter(({ sender, receiver }) => sender.program && receiver.program))(
    "$from, a tunnel with proxy=$version, $to: the visitor's address arrives",
    async ({ sender, receiver, version }) => {
      const [front, back] = [
        { host: newHost(), port: 8080 },
        { host: newHost(), port: 8080 },
      ];
      const boxes: MiddleBox[] = [];
      try {
        boxes.push(await receiver.start(receiver.program ?? "", back));
        const server = await open(
          `server://k@127.0.0.1:0/127.0.0.1:0?mode=1&trust=${front.host}&allow=users:${VISITOR},peers:127.0.0.1`,
        );
        const client = await open(
          `client://k@127.0.0.1:${tunnelPort(server)}/${text(back)}?mode=2&min=2&proxy=${version}`,
        );
        await client.ready();
        boxes.push(await sender.start(sender.program ?? "", front, entryOf(server)));
        const { stdout } = await run(curl ?? "", [
          ...["-s", "--max-time", "20", "--interface", VISITOR],
          `http://${text(front)}/`,
        ]);
        expect(stdout).toBe(VISITOR);
        const before = server.counters().refusedDenied;
        // `allow` is about the visitor, not about the proxy.
        const denied = run(curl ?? "", [
          ...["-s", "--max-time", "20", "--interface", front.host],
          `http://${text(front)}/`,
        ]);
        await expect(denied).rejects.toThrow();
        await eventually(() => expect(server.counters().refusedDenied).toBeGreaterThan(before));
      } finally {
        for (const box of boxes.reverse()) await box.close();
      }
    },
  );
});

describe.skipIf(haproxy === undefined || openssl === undefined)(
  "the name that was asked for",
  () => {
    let authority: Authority;
    beforeAll(async () => {
      authority = await makeAuthority();
    });
    afterAll(() => authority.remove());

    test("is told to HAProxy in the header, while TLS passes through", async () => {
      const query = new URLSearchParams(authority.query);
      const pem = `${query.get("crt")}.both.pem`;
      const [cert, key] = await Promise.all([
        readFile(query.get("crt") ?? "", "utf8"),
        readFile(query.get("key") ?? "", "utf8"),
      ]);
      await writeFile(pem, `${cert}\n${key}`, { mode: 0o600 });
      const at = { host: newHost(), port: 8443 };
      const box = await startHaproxyWith(
        haproxy ?? "",
        at,
        `frontend in\n  mode http\n  bind ${text(at)} accept-proxy ssl crt ${pem}\n  http-request return status 200 content-type text/plain lf-string "%[src] %[fc_pp_authority] %[ssl_fc_sni]"\n`,
      );
      try {
        const forwarder = await open(`client://127.0.0.1:0/${text(at)}?mode=1&proxy=2&noudp=1`);
        const { host, port } = entryOf(forwarder);
        // The name is known where the hello is there before the target: the answer may lack it.
        await eventually(async () => {
          const { stdout } = await run(curl ?? "", [
            ...["-sk", "--max-time", "20", "--interface", VISITOR],
            ...["--resolve", `${SERVER_NAME}:${port}:${host}`, `https://${SERVER_NAME}:${port}/`],
          ]);
          expect(stdout).toBe(`${VISITOR} ${SERVER_NAME} ${SERVER_NAME}`);
        });
      } finally {
        await box.close();
      }
    });
  },
);

describe("a trusted proxy", () => {
  let target: Server;
  const served: Socket[] = [];
  let at = "";

  beforeAll(async () => {
    target = createServer({ allowHalfOpen: true }, (socket) => {
      served.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(target, "listening");
    const address = target.address();
    at = `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  });
  afterAll(async () => {
    for (const socket of served) socket.destroy();
    target.close();
    await once(target, "close");
    await expectNoSockets();
  });

  const header2 = proxyHeader2(
    { address: "203.0.113.7", port: 77 },
    { address: "192.0.2.1", port: 80 },
    "tcp",
  );

  test.each([
    ["in one piece", [`${header2}hello`]],
    ["byte by byte", [...header2, ..."hello"]],
    [
      "of version 1",
      [
        `${proxyHeader({ address: "203.0.113.7", port: 77 }, { address: "192.0.2.1", port: 80 })}hello`,
      ],
    ],
    ["with nothing behind it for a while", [header2, "hello"]],
  ])("says whose a connection is, %s", async (_how, pieces) => {
    const end = await open(`client://127.0.0.1:0/${at}?mode=1&trust=127.0.0.0/8&noudp=1`);
    const remotes: string[] = [];
    end.on("connection", ({ remote }) => remotes.push(remote));
    const socket = await dial(entryOf(end));
    socket.setNoDelay(true);
    const answer = readAll(socket);
    for (const piece of pieces) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    expect(String(await answer)).toBe("hello");
    await eventually(() => expect(remotes).toEqual(["203.0.113.7:77", "203.0.113.7:77"]));
  });

  test("that does not say it is refused, and who is not trusted is not asked", async () => {
    const end = await open(`client://127.0.0.1:0/${at}?mode=1&trust=127.0.0.80/28&slotip=1`);
    for (const begin of ["GET / HTTP/1.1\r\n\r\n", `${header2.slice(0, 10)}XXXXXXXX`]) {
      const socket = await dial(entryOf(end), "127.0.0.81");
      const closed = once(socket, "close");
      socket.resume();
      socket.write(begin, "latin1");
      await closed.catch(() => undefined);
    }
    const ends = await dial(entryOf(end), "127.0.0.81");
    const closed = once(ends, "close");
    ends.resume();
    ends.end("PROX");
    await closed.catch(() => undefined);
    await eventually(() => expect(end.counters().refusedProxied).toBe(3));
    const stranger = await dial(entryOf(end), "127.0.0.1");
    stranger.write(header2, "latin1");
    expect((await once(stranger, "data"))[0].toString("latin1")).toBe(header2);
  });

  test("brings many users, whose slots are counted by their own addresses", async () => {
    const end = await open(`client://127.0.0.1:0/${at}?mode=1&trust=127.0.0.1&slotip=1&noudp=1`);
    const userOf = async (last: number) => {
      const socket = await dial(entryOf(end));
      const source = { address: `203.0.113.${last}`, port: 1 };
      socket.write(proxyHeader2(source, { address: "192.0.2.1", port: 80 }, "tcp"), "latin1");
      socket.write("a");
      return socket;
    };
    for (const last of [1, 2, 3]) await once(await userOf(last), "data");
    const second = await userOf(3);
    second.resume();
    await once(second, "close").catch(() => undefined);
    expect(end.counters().refusedSlotip).toBe(1);
  });

  test("has so much time for it", async () => {
    const end = await openEnd(`client://127.0.0.1:0/${at}?mode=1&trust=127.0.0.1`, logs, {
      limits: { handshakeTimeoutMs: 100 },
    });
    ends.push(end);
    expect(await refusalOf(entryOf(end))).toBe("ECONNRESET");
    expect(end.counters().refusedProxied).toBe(1);
  });
});

test("over UDP the user's address survives two hops, each datagram with its header", async () => {
  const target = createSocket("udp4");
  const heard: { payload: string; from: string | undefined }[] = [];
  target.on("message", (datagram, from) => {
    const header = readProxyHeader(datagram);
    if (typeof header === "string") throw new Error(`header is ${header}`);
    const payload = datagram.subarray(header.bytes);
    heard.push({ payload: String(payload), from: header.source?.address });
    target.send(payload, from.port, from.address);
  });
  target.bind(0, "127.0.0.1");
  await once(target, "listening");
  // Two hops: a tunnel in reverse flow, then a forwarder.
  const second = await open(
    `client://127.0.0.1:0/127.0.0.1:${target.address().port}?mode=1&proxy=2&trust=127.0.0.1&notcp=1`,
  );
  const server = await open("server://k@127.0.0.1:0/127.0.0.1:0?mode=1");
  const client = await open(
    `client://k@127.0.0.1:${tunnelPort(server)}/${text(entryOf(second))}?mode=2&min=2&proxy=2`,
  );
  await client.ready();
  const users = await Promise.all(
    [91, 92].map(async (last) => {
      const socket = createSocket("udp4");
      const received: string[] = [];
      socket.on("message", (datagram) => received.push(String(datagram)));
      socket.bind(0, ownAddress(last));
      await once(socket, "listening");
      return { socket, received, address: ownAddress(last) };
    }),
  );
  const { host, port } = entryOf(server);
  for (const { socket, address } of users) {
    for (let sent = 0; sent < 3; sent++) socket.send(`${sent} of ${address}`, port, host);
  }
  await eventually(() => {
    for (const { received } of users) expect(received).toHaveLength(3);
  });
  for (const { payload, from } of heard) expect(payload.endsWith(`of ${from}`)).toBe(true);
  expect(second.counters().udps).toBe(2);
  // One that has no header is dropped.
  const stranger = createSocket("udp4");
  stranger.send("hello", entryOf(second).port, "127.0.0.1");
  await eventually(() => expect(second.counters().refusedProxied).toBe(1));
  for (const { socket } of users) socket.close();
  stranger.close();
  target.close();
});

test("docs/many-to-many.md tells real addresses", async () => {
  const target = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      const header = readProxyHeader(bytes);
      socket.end(typeof header === "string" ? header : (header.source?.address ?? "nobody"));
    });
  }).listen(0, "127.0.0.1");
  await once(target, "listening");
  const address = target.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const [entry = "", exit = ""] = documentedUrls("Real addresses", {
    "//KEY@:10101": "//KEY@127.0.0.1:0",
    "/:8080": "/127.0.0.1:0",
    "192.0.2.10": "127.0.0.81",
    "127.0.0.1:80?": `127.0.0.1:${port}?`,
  });
  const server = await open(entry);
  const client = await open(
    exit.replace("server.example:10101", `127.0.0.1:${tunnelPort(server)}`),
  );
  await client.ready();
  const socket = await dial(entryOf(server), "127.0.0.81");
  socket.write("PROXY TCP4 203.0.113.9 192.0.2.1 5 80\r\nhello");
  expect(String(await readAll(socket))).toBe("203.0.113.9");
  socket.destroy();
  target.close();
});
