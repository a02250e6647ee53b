import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppliedSchema, type Lease, type LeaseRequest } from "@nodepass/fleet-protocol";
import { reservePort } from "test-support";
import { findNatsServer } from "test-support/nats";
import { describe, expect, type TestContext, test, vi } from "vitest";
import { HonestHub, order } from "./support/honest-hub.ts";
import { startMember, type TestMember, temporaryFolder } from "./support/member.ts";

const WAIT = { timeout: 60_000, interval: 20 };
const HOST = "127.44.4.1";
/** Long enough for a machine on which others work: renewals have a quarter of it. */
const TTL_MS = 6000;
const program = fileURLToPath(new URL("../../../apps/master/dist/main.js", import.meta.url));

/** One connection and what it gets back. */
function user(port: number) {
  const socket: Socket = connect(port, HOST);
  let got = "";
  const over = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket
    .on("error", () => undefined)
    .on("data", (bytes) => {
      got += String(bytes);
    });
  return { socket, over, got: () => got, say: (text: string) => socket.write(text) };
}

/** A hub of its own, a target, and what each says and is asked. */
async function openScene(onTestFinished: TestContext["onTestFinished"]) {
  const closers: (() => unknown)[] = [];
  onTestFinished(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const hub = await HonestHub.start();
  closers.push(() => hub.close());
  const scene = {
    hub,
    closers,
    isGranted: false,
    asked: [] as LeaseRequest[],
    /** Connections that the target has had. */
    dialled: 0,
  };
  hub.lease = (_mid, request): Lease => {
    scene.asked.push(request);
    const parts = scene.isGranted ? request.parts.map((one) => ({ ...one, ttlMs: TTL_MS })) : [];
    return { parts };
  };
  const target = createServer((socket) => {
    scene.dialled++;
    socket.on("error", () => undefined).pipe(socket);
  }).listen(0, HOST);
  await once(target, "listening");
  closers.push(() => target.close());
  const address = target.address();
  const targetPort = typeof address === "object" && address !== null ? address.port : 0;
  const url = (port: number) => `client://${HOST}:${port}/${HOST}:${targetPort}?mode=1&log=none`;
  return Object.assign(scene, {
    url,
    part: (port: number, change = {}) =>
      order({ sid: "s1", url: url(port), strict: true, ttlMs: TTL_MS, ...change }),
    apply: async (mid: string, given: ReturnType<typeof order>) =>
      (await hub.ask(mid, "apply", { orders: [given] }, AppliedSchema)).reports[0],
    start: async (): Promise<TestMember> => {
      const member = await startMember(temporaryFolder(closers), { token: hub.token() });
      closers.push(() => member.stop());
      await vi.waitFor(() => expect(member.agent.status().state).toBe("synced"), WAIT);
      return member;
    },
  });
}

const statusOf = async (member: TestMember) => (await member.instances.list())[0]?.status;

// They wait for leases to end: all at once.
describe.skipIf(findNatsServer() === undefined)("a strict part", () => {
  test.concurrent("starts with a lease that names it and not before, and stops at its end", async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, hub, part, start } = scene;
    const member = await start();
    const made = await apply(member.mid, part(port));
    expect(made).toMatchObject({ outcome: "applied", running: false });
    await vi.waitFor(() => expect(scene.asked.length).toBeGreaterThan(1), WAIT);
    expect(scene.asked.at(-1)?.parts).toEqual([{ sid: "s1", part: 0, epoch: 1 }]);
    expect(await statusOf(member)).toBe("stopped");

    scene.isGranted = true;
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("running"), WAIT);
    const one = user(port);
    one.say("hello");
    await vi.waitFor(() => expect(one.got()).toBe("hello"), WAIT);
    // It is renewed, and nobody notices.
    await delay(1.2 * TTL_MS);
    one.say("still");
    await vi.waitFor(() => expect(one.got()).toBe("hellostill"), WAIT);

    scene.isGranted = false;
    const endOfLease = performance.now() + TTL_MS;
    await one.over;
    expect(performance.now()).toBeLessThan(endOfLease + 30_000);
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("stopped"), WAIT);
    await vi.waitFor(() => {
      const last = hub.reports.filter((report) => report.mid === member.mid).at(-1)?.report;
      expect(last).toMatchObject({ outcome: "applied", running: false });
    }, WAIT);
    const refused = user(port);
    await refused.over;
    expect(refused.got()).toBe("");

    scene.isGranted = true;
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("running"), WAIT);
  });

  test.concurrent("is asked for again soon while nobody answers", async ({ onTestFinished }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, hub, part, start } = scene;
    const member = await start();
    let answersNot = 0;
    hub.lease = () => {
      answersNot += 1;
      return undefined;
    };
    await apply(member.mid, part(port, { ttlMs: 60_000 }));
    // Every 15 s, were it answered.
    await vi.waitFor(() => expect(answersNot).toBeGreaterThan(3), WAIT);
  });

  test.concurrent("takes no lease of another epoch", async ({ onTestFinished }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, hub, part, start } = scene;
    const member = await start();
    scene.isGranted = true;
    hub.lease = (_mid, request): Lease => {
      scene.asked.push(request);
      return { parts: request.parts.map((one) => ({ ...one, epoch: 1, ttlMs: TTL_MS })) };
    };
    await apply(member.mid, part(port, { epoch: 2 }));
    await vi.waitFor(() => expect(scene.asked.length).toBeGreaterThan(2), WAIT);
    expect(await statusOf(member)).toBe("stopped");
  });

  test.concurrent("that was none before goes on for its TTL, and without an end when it is none again", async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, part, start } = scene;
    const member = await start();
    await apply(member.mid, part(port, { strict: false, ttlMs: 0 }));
    expect(await statusOf(member)).toBe("running");
    await apply(member.mid, part(port, { rev: 2 }));
    expect(await statusOf(member)).toBe("running");
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("stopped"), WAIT);
    scene.isGranted = true;
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("running"), WAIT);
    await apply(member.mid, part(port, { rev: 3, strict: false }));
    scene.isGranted = false;
    await delay(1.2 * TTL_MS);
    expect(await statusOf(member)).toBe("running");
  });

  test.concurrent("made of a local instance that runs waits for its lease like any other", async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, part, start, url } = scene;
    const member = await start();
    const local = await member.instances.create({ url: url(port) });
    await apply(member.mid, part(port, { adopt: local.id }));
    expect(await statusOf(member)).toBe("stopped");
  });

  test.concurrent("stops at once when another process has this one's seat", async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, hub, part, start } = scene;
    const member = await start();
    scene.isGranted = true;
    await apply(member.mid, part(port));
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("running"), WAIT);
    const session = hub.syncs.at(-1)?.sync.session;
    hub.tell(member.mid, "evict", { session, reason: "another one" }, session);
    await vi.waitFor(async () => expect(await statusOf(member)).toBe("stopped"), WAIT);
    expect(member.agent.status().state).toBe("left");
  });

  test.concurrent("of a process that stood still beyond its lease serves no new user when it wakes", async ({
    onTestFinished,
  }) => {
    const scene = await openScene(onTestFinished);
    const port = await reservePort();
    const { apply, closers, hub, part } = scene;
    const folder = temporaryFolder(closers);
    const child = spawn(
      process.execPath,
      [program, "master://127.0.0.1:0", "--join", hub.token()],
      {
        env: { PATH: process.env.PATH, NP_STATE_DIR: folder, NP_WORKERS: "1" },
        stdio: "ignore",
      },
    );
    const ended = once(child, "close");
    closers.push(() => {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      return ended;
    });
    const syncs = hub.syncs.length;
    await vi.waitFor(() => expect(hub.syncs.length).toBeGreaterThan(syncs), WAIT);
    const mid = hub.syncs.at(-1)?.mid ?? "";
    scene.isGranted = true;
    await apply(mid, part(port));
    await vi.waitFor(async () => {
      const one = user(port);
      one.say("x");
      await vi.waitUntil(() => one.got() === "x" || one.socket.destroyed, WAIT);
      one.socket.destroy();
      expect(one.got()).toBe("x");
    }, WAIT);
    const held = user(port);
    held.say("before");
    await vi.waitFor(() => expect(held.got()).toBe("before"), WAIT);

    const before = scene.dialled;
    child.kill("SIGSTOP");
    scene.isGranted = false;
    await delay(TTL_MS + 500);
    // The system takes them for the process, which finds them when it wakes.
    const late = Array.from({ length: 20 }, () => user(port));
    for (const one of late) one.say("late");
    await delay(200);
    child.kill("SIGCONT");
    await Promise.all([...late.map(({ over }) => over), held.over]);
    expect(late.map(({ got }) => got()).join("")).toBe("");
    // Nor was the target reached for any of them, in the moment before the timer came.
    expect(scene.dialled).toBe(before);
  });
});
