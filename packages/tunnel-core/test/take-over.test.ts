import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTunnel, type Tunnel } from "../src/index.ts";
import { expectNoSockets } from "./support/no-leaks.ts";

const CONNECTIONS = 1000;
const REPLACEMENTS = 20;
/** Users who are there at the same time. */
const AT_ONCE = 25;

interface Echo {
  readonly port: number;
  close(): Promise<void>;
}

async function startEcho(): Promise<Echo> {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const address = tcp.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const udp = createSocket("udp4");
  udp.on("message", (datagram, from) => udp.send(datagram, from.port, from.address));
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  return {
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      udp.close();
      tcp.close();
      await once(tcp, "close");
    },
  };
}

/** One user: connects, says something twice with a pause between, and wants it back. */
function useOnce(port: number, pauseMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let back = "";
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", () => resolve(back === "onetwo" ? "fine" : `cut after "${back}"`));
    socket.on("data", (chunk) => {
      back += String(chunk);
      if (back === "one") setTimeout(() => socket.write("two"), pauseMs);
      if (back === "onetwo") socket.end();
    });
    socket.write("one");
  });
}

describe("a tunnel that takes over", () => {
  let echo: Echo;
  const tunnels: Tunnel[] = [];

  beforeEach(async () => {
    echo = await startEcho();
  });
  afterEach(async () => {
    for (const tunnel of tunnels.splice(0)) tunnel.destroy();
    await echo.close();
    await expectNoSockets();
  });

  const open = async (...args: Parameters<typeof openTunnel>): Promise<Tunnel> => {
    const tunnel = await openTunnel(...args);
    tunnels.push(tunnel);
    return tunnel;
  };

  /** Users come all the time while `replace` is called again and again. */
  async function trial(port: number, replace: (round: number) => Promise<void>): Promise<void> {
    const outcomes = new Map<string, number>();
    let left = CONNECTIONS;
    let replaced = 0;
    const user = async (): Promise<void> => {
      while (left > 0) {
        left--;
        const outcome = await useOnce(port, 20);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    const users = Array.from({ length: AT_ONCE }, user);
    for (let round = 0; round < REPLACEMENTS; round++) {
      // Evenly over the connections, however fast they are.
      while (left > CONNECTIONS - ((round + 1) * CONNECTIONS) / (REPLACEMENTS + 1)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await replace(round);
      replaced++;
    }
    await Promise.all(users);
    expect(Object.fromEntries(outcomes)).toEqual({ fine: CONNECTIONS });
    expect(replaced).toBe(REPLACEMENTS);
  }

  it("loses none of 1,000 connections over 20 replacements of a forwarder", async () => {
    const url = (round: number): string =>
      `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&dial=${round % 2 === 0 ? "auto" : "127.0.0.1"}`;
    let tunnel = await open(url(0));
    const port = tunnel.entryAddress?.port ?? 0;
    await trial(port, async (round) => {
      const former = tunnel;
      tunnel = await open(url(round + 1), { takeOver: former, drainTimeoutMs: 10_000 });
      expect(tunnel.entryAddress?.port).toBe(port);
    });
    await Promise.all(tunnels.slice(0, -1).map((former) => former.close()));
    expect(tunnels.map(({ state }) => state)).toEqual([
      ...Array(REPLACEMENTS).fill("closed"),
      "running",
    ]);
  });

  it("loses none over 20 replacements of a server where users connect", async () => {
    const url = (round: number): string =>
      `server://secret@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${round % 2}&noudp=1`;
    let tunnel = await open(url(0));
    const port = tunnel.entryAddress?.port ?? 0;
    const tunnelPort = tunnel.tunnelAddress?.port ?? 0;
    const client = await open(
      `client://secret@127.0.0.1:${tunnelPort}/127.0.0.1:${echo.port}?mode=2&min=8`,
    );
    await client.ready();
    await trial(port, async (round) => {
      tunnel = await open(url(round + 1), { takeOver: tunnel, drainTimeoutMs: 10_000 });
      expect(tunnel.entryAddress?.port).toBe(port);
      expect(tunnel.tunnelAddress?.port).toBe(tunnelPort);
    });
  });

  it("loses none over 20 replacements of either end of a tunnel whose client has the users", async () => {
    const serverUrl = (max: number): string =>
      `server://secret@127.0.0.1:0/127.0.0.1:${echo.port}?mode=2&tls=1&max=${max}`;
    let server = await open(serverUrl(64));
    const tunnelPort = server.tunnelAddress?.port ?? 0;
    const clientUrl = (sni: string): string =>
      `client://secret@127.0.0.1:${tunnelPort}/127.0.0.1:0?mode=2&min=8&sni=${sni}`;
    let client = await open(clientUrl("a.example.com"));
    await client.ready();
    const port = client.entryAddress?.port ?? 0;
    await trial(port, async (round) => {
      if (round % 2 === 0) {
        client = await open(clientUrl(`b${round}.example.com`), {
          takeOver: client,
          drainTimeoutMs: 10_000,
        });
        expect(client.entryAddress?.port).toBe(port);
      } else {
        server = await open(serverUrl(64 + round), { takeOver: server, drainTimeoutMs: 10_000 });
      }
    });
  });

  it("leaves users' UDP sessions where they are and takes new ones", async () => {
    const url = (target: number): string =>
      `client://127.0.0.1:0/127.0.0.1:${target}?mode=1&notcp=1`;
    const first = await open(url(echo.port));
    const port = first.entryAddress?.port ?? 0;
    const user = createSocket("udp4");
    const ask = async (socket: typeof user, text: string): Promise<string> => {
      socket.send(text, port, "127.0.0.1");
      const [datagram] = await once(socket, "message");
      return String(datagram);
    };
    expect(await ask(user, "before")).toBe("before");
    const second = await open(`${url(echo.port)}&slot=5`, {
      takeOver: first,
      drainTimeoutMs: 60_000,
    });
    expect(await ask(user, "after")).toBe("after");
    const newcomer = createSocket("udp4");
    expect(await ask(newcomer, "new")).toBe("new");
    expect([first.counters().udps, second.counters().udps]).toEqual([1, 1]);
    // Its time is over: who goes on sending is the new one's user.
    first.destroy();
    expect(await ask(user, "at last")).toBe("at last");
    expect(second.counters().udps).toBe(2);
    user.close();
    newcomer.close();
  });

  it.each(["noudp=1&slot=5", "host=app.example"])(
    "has UDP again while the sessions from before %s go on",
    async (without) => {
      const url = "server://secret@127.0.0.1:0/127.0.0.1:0?mode=1";
      const first = await open(url);
      const port = first.entryAddress?.port ?? 0;
      const client = await open(
        `client://secret@127.0.0.1:${first.tunnelAddress?.port}/127.0.0.1:${echo.port}?mode=2&min=1`,
      );
      const user = createSocket("udp4");
      const ask = async (text: string): Promise<string> => {
        user.send(text, port, "127.0.0.1");
        const [datagram] = await once(user, "message");
        return String(datagram);
      };
      expect(await ask("before")).toBe("before");
      const drain = { drainTimeoutMs: 60_000 };
      const second = await open(`${url}&${without}`, { takeOver: first, ...drain });
      const third = await open(`${url}&slot=6`, { takeOver: second, ...drain });
      expect(third.entryAddress?.port).toBe(port);
      first.destroy();
      expect(await ask("after")).toBe("after");
      expect(third.counters().udps).toBe(1);
      expect(client.state).toBe("running");
      user.close();
    },
  );

  it("gives its addresses away as soon as it closes, UDP too, while connections drain", async () => {
    const server = (port: number, users: number): string =>
      `server://secret@127.0.0.1:${port}/127.0.0.1:${users}?mode=1`;
    const first = await open(server(0, 0));
    const port = first.tunnelAddress?.port ?? 0;
    const users = first.entryAddress?.port ?? 0;
    await open(`client://secret@127.0.0.1:${port}/127.0.0.1:${echo.port}?mode=2&min=1`);
    const held = connect(users, "127.0.0.1");
    const user = createSocket("udp4");
    held.on("error", () => undefined);
    held.write("held");
    await once(held, "data");
    const ask = async (text: string): Promise<string> => {
      // The tunnel that comes has no client for a moment, and drops what waits too long.
      const send = (): void => void user.send(text, users, "127.0.0.1");
      const again = setInterval(send, 200);
      send();
      const [datagram] = await once(user, "message");
      clearInterval(again);
      return String(datagram);
    };
    expect(await ask("before")).toBe("before");
    const closed = first.close({ timeoutMs: 60_000 });
    const second = await open(server(port, users));
    expect(await ask("after")).toBe("after");
    expect(second.counters().udps).toBe(1);
    expect(first.state).toBe("closing");
    held.write("on");
    expect(String((await once(held, "data"))[0])).toBe("on");
    held.destroy();
    user.close();
    await closed;
  });

  it("cuts what is left when the drain time is over, and nothing before", async () => {
    const url = `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&noudp=1`;
    const first = await open(url);
    const socket = connect(first.entryAddress?.port ?? 0, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("held");
    await once(socket, "data");
    await open(`${url}&proxy=0&rate=1`, { takeOver: first, drainTimeoutMs: 300 });
    const cut = new Promise((resolve) => socket.once("close", resolve));
    socket.write("on");
    expect(String((await once(socket, "data"))[0])).toBe("on");
    const at = performance.now();
    await cut;
    expect(performance.now() - at).toBeGreaterThan(100);
    expect(first.state).toBe("closed");
  });

  it("goes back to the predecessor if the successor cannot start", async () => {
    const first = await open(`server://secret@127.0.0.1:0/127.0.0.1:0?mode=1&tls=0&noudp=1`);
    const port = first.entryAddress?.port ?? 0;
    const client = await open(
      `client://secret@127.0.0.1:${first.tunnelAddress?.port}/127.0.0.1:${echo.port}?mode=2&min=2`,
    );
    await client.ready();
    const taken = `server://secret@127.0.0.1:${echo.port}/127.0.0.1:0?mode=1&tls=0&noudp=1`;
    await expect(open(taken, { takeOver: first })).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
    });
    expect(first.state).toBe("running");
    expect(await useOnce(port, 1)).toBe("fine");
    const error = open(taken, { takeOver: 3 as unknown as Tunnel });
    await expect(error).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  });
});
