import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEcho, use } from "./trials/support/echo.ts";
import { connectAsHub } from "./trials/support/engine-figures.ts";
import { FLEET, Place } from "./trials/support/place.ts";
import { startRealMaster } from "./trials/support/real-master.ts";
import { monotonic, percentile, round } from "./trials/support/results.ts";

const LONG = { timeout: 60_000, interval: 100 };
const MASTER = "127.72.11.1";
/** More than the engine holds for a connection, 16 MiB, and what the sockets take. */
const MESSAGES = 40;
const MESSAGE_BYTES = 1_000_000;
const CREATES = 20;

// A process can't be made to stand still there.
const here =
  findNatsServer() === undefined || process.platform === "win32" ? describe.skip : describe;

/** A hub, a real master, and three others that are simulated. */
async function setUp() {
  const place = await Place.start({ hubPort: true });
  onTestFinished(() => place.close());
  const hub = await place.hub();
  const { token } = await place.ask<{ token: string }>("POST", "/fleet/tokens", { kind: "join" });
  const master = await startRealMaster(MASTER, token);
  onTestFinished(() => master.close());
  const others = await place.join(place.process(), 3);
  await others.calls.ask("start", { tell: true });
  const target = await startEcho(MASTER);
  onTestFinished(() => target.close());
  const seen = async () => {
    type Seen = { mid: string; status: string; version: string };
    const all = await place.ask<Seen[]>("GET", "/fleet/masters");
    return all.find(({ mid }) => !others.mids.includes(mid));
  };
  const mid = await vi.waitFor(async () => {
    const one = await seen();
    expect(one).toMatchObject({ status: "online", version: expect.stringMatching(/./) });
    return one?.mid ?? "";
  }, LONG);
  type Made = { parts: { state: string }[] };
  const create = (alias: string, url: string, master: string | undefined) =>
    place.ask<Made>("POST", "/fleet/services", { alias, parts: [{ url, master }] });
  return {
    place,
    hub,
    master,
    others,
    mid,
    seen,
    createHere: (alias: string, port: number) =>
      create(alias, `client://${MASTER}:${port}/${MASTER}:${target.port}?mode=1&log=none`, mid),
    /** Services at the others. @returns how long until each of them acted, ms */
    createThere: async (what: string) => {
      const began = new Map<string, number>();
      const acts: number[] = [];
      place.onOrder = ({ alias, at }) => acts.push(at - (began.get(alias) ?? 0));
      for (let n = 0; n < CREATES; n += 1) {
        began.set(`${what}${n}`, monotonic());
        const url = "server://0.0.0.0:auto/127.0.0.1:80";
        const { parts } = await create(`${what}${n}`, url, others.mids[n % 3]);
        expect(parts).toMatchObject([{ state: "applied" }]);
      }
      return acts;
    },
  };
}

const SLOW_CONSUMER = /Slow Consumer Detected/i;

here("a member that does not read", () => {
  test("is cut by the engine as a slow consumer, comes back and syncs; others are not slowed", async () => {
    const { place, master, others, mid, seen, createHere, createThere } = await setUp();
    await createHere("before", 7001);
    const before = await createThere("before");

    const anybody = await connectAsHub(place.created.hub);
    onTestFinished(() => anybody.close());
    master.child.kill("SIGSTOP");
    for (let n = 0; n < MESSAGES; n += 1) {
      anybody.publish(`np.${FLEET}.m.${mid}.apply`, new Uint8Array(MESSAGE_BYTES));
    }
    await anybody.flush();
    await vi.waitFor(async () => {
      expect(await place.engine.log()).toMatch(SLOW_CONSUMER);
    }, LONG);
    const during = await createThere("during");
    master.child.kill("SIGCONT");
    const figures = [before, during].map((acts) => {
      return `${round(percentile(acts, 0.5))}, ${round(Math.max(...acts))}`;
    });
    console.log(`another member acts after ms, p50, most: ${figures.join("; beside it ")}`);

    await vi.waitFor(async () => {
      expect(await seen()).toMatchObject({ status: "online" });
      const { parts } = await createHere(`after ${monotonic()}`, 7002);
      expect(parts).toMatchObject([{ state: "applied" }]);
    }, LONG);
    expect(await use(MASTER, 7001)).toBe("hello");
    expect(await use(MASTER, 7002)).toBe("hello");
    // Once each: no connection of theirs was cut.
    const { synced } = await others.calls.ask<{ synced: number }>("counts");
    expect(synced).toBe(others.mids.length);
  }, 120_000);

  test("or reads slowly, is sent no more by the gateway than the engine holds for it", async () => {
    const { place, hub, master, mid } = await setUp();
    // Not for so long that it is taken for dead.
    master.child.kill("SIGSTOP");
    const thaw = setTimeout(() => master.child.kill("SIGCONT"), 1000);
    onTestFinished(() => clearTimeout(thaw));
    const statuses = await Promise.all(
      Array.from({ length: MESSAGES }, async () => {
        const { status } = await fetch(`${hub.url}/masters/${mid}/api/v1/instances`, {
          method: "POST",
          headers: {
            "X-API-Key": place.created.adminToken,
            "Content-Type": "application/json",
          },
          body: JSON.stringify({ alias: "x".repeat(MESSAGE_BYTES) }),
        });
        return status;
      }),
    );
    // Its own answer, as nothing of that is an instance.
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(await place.engine.log()).not.toMatch(SLOW_CONSUMER);
  }, 120_000);
});
