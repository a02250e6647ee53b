import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeJoinToken } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type FleetHub, writeHubSecrets } from "../src/index.ts";
import { joinAs } from "./support/join-as.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 50 };
const ON_ONE = {
  alias: "",
  tags: {},
  policy: { failover: "off", ttl: 15, failback: "never" },
} as const;

here("two hubs", () => {
  let fleet: TestFleet;
  let a: FleetHub;
  let b: FleetHub;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    a = await fleet.hub({ id: "a" });
    b = await fleet.hub({ id: "b" });
  });
  afterAll(() => fleet.close());

  test("one of them leads, and both know which", async () => {
    await vi.waitFor(() => {
      expect([a, b].map(({ leadership }) => leadership.isLeading())).toEqual([true, false]);
      expect(b.fleet.info(fleet.admin(b)).leader).toBe("a");
    }, LONG);
  });

  test("a change at either is known to both, and reaches its member at once", async () => {
    const member = await fleet.member(a);
    const { mid } = member.identity;
    await vi.waitFor(() => expect(b.fleet.master(fleet.admin(b), mid).version).toBe("simulated"));
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    // By the hub that does not lead: pushed by it, not after the leader has looked.
    const made = await b.fleet.createService(fleet.admin(b), { ...ON_ONE, parts: [part] });
    expect(made.parts[0]?.state).toBe("applied");
    const { sid } = made;
    await vi.waitFor(() => {
      expect(a.fleet.service(fleet.admin(a), sid).parts[0]).toMatchObject({
        state: "applied",
        instance: made.parts[0]?.instance,
      });
      expect(b.figures().openOrders + a.figures().openOrders).toBe(0);
    }, LONG);
    // Of two at the same revision one wins.
    const { revision } = a.fleet.service(fleet.admin(a), sid);
    const results = await Promise.allSettled(
      [a, b].map((hub) =>
        hub.fleet.changeService(fleet.admin(hub), sid, { alias: `by-${hub.id}` }, revision),
      ),
    );
    const lost = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    expect(lost).toHaveLength(1);
    const [error] = lost;
    expect(error instanceof ServiceError && error.code).toMatch(/PRECONDITION|CONFLICT/);
    await vi.waitFor(() => {
      const [one, other] = [a, b].map((hub) => hub.fleet.service(fleet.admin(hub), sid));
      expect(one).toEqual(other);
      expect(member.parts.get(`${sid}/0`)?.order.alias).toBe(one?.alias);
    }, LONG);
    await a.fleet.removeService(fleet.admin(a), sid, undefined);
    await vi.waitFor(() => expect(member.parts.size).toBe(0), LONG);
  });

  test.concurrent("a master's new address, told to one that does not lead, reaches its client at once", async () => {
    const [server, client] = [await fleet.member(a), await fleet.member(a)];
    const { mid } = server.identity;
    const admin = fleet.admin(b);
    await vi.waitFor(() => expect(b.index.members.has(mid)).toBe(true), LONG);
    await b.fleet.changeMaster(admin, mid, { address: "192.0.2.1" });
    const made = await vi.waitFor(
      () =>
        a.fleet.createService(fleet.admin(a), {
          ...ON_ONE,
          parts: [
            { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true },
            { url: "client://auto/127.0.0.1:81", master: client.identity.mid, running: true },
          ],
        }),
      LONG,
    );
    const url = () => client.parts.get(`${made.sid}/1`)?.order.url;
    expect(url()).toContain("@192.0.2.1:");
    await b.fleet.changeMaster(admin, mid, { address: "edge.example.org" });
    await vi.waitFor(() => expect(url()).toContain("@edge.example.org:"), LONG);
  });

  test.concurrent("of two masters of one name that join through two hubs at once, the later one is renamed", async () => {
    const { token } = await a.fleet.createToken(fleet.admin(a), {
      ...{ kind: "join", role: "viewer", selector: "", labels: {}, uses: 40, note: "" },
    });
    const { id, secret, fp } = decodeJoinToken(token);
    for (let round = 0; round < 5; round += 1) {
      const name = `clone${round}`;
      const mids = ["a", "b"].map((at) => `${at}${round}0000000000000f`);
      await Promise.all(
        [a, b].map((hub, at) =>
          joinAs(mids[at] ?? "", name, { id, secret }, fp, (request) =>
            hub.fleet.join(request, "127.0.0.1"),
          ),
        ),
      );
      await vi.waitFor(() => {
        for (const { index } of [a, b]) {
          const names = mids.map((mid) => index.members.get(mid)?.value.name ?? "").sort();
          expect(names).toEqual([name, expect.stringMatching(`^${name}-[ab]${round}00$`)]);
        }
      }, LONG);
    }
  });

  test.concurrent("of two masters that two hubs call alike at once, one is, and the other is told 409", async () => {
    const members = [await fleet.member(a), await fleet.member(a)];
    const mids = members.map(({ identity }) => identity.mid);
    await vi.waitFor(() => {
      for (const mid of mids) expect(b.index.members.has(mid)).toBe(true);
    }, LONG);
    const names = mids.map((mid) => a.index.members.get(mid)?.value.name);
    for (let round = 0; round < 20; round += 1) {
      const name = `twin ${round}`;
      const changes = [a, b].map((hub, at) =>
        hub.fleet.changeMaster(fleet.admin(hub), mids[at] ?? "", { name }),
      );
      const outcomes = await Promise.allSettled(changes);
      const lost = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      expect(lost).toMatchObject([
        { code: "CONFLICT", message: expect.stringContaining(" has the name twin") },
      ]);
      await vi.waitFor(() => {
        for (const hub of [a, b]) {
          const bearers = mids.filter((mid) => hub.index.members.get(mid)?.value.name === name);
          expect(bearers).toHaveLength(1);
        }
      }, LONG);
      for (const [at, mid] of mids.entries()) {
        if (a.index.members.get(mid)?.value.name === name) {
          await a.fleet.changeMaster(fleet.admin(a), mid, { name: names[at] ?? mid });
        }
      }
    }
  });

  test.concurrent("an order that its hub could not bring is brought by the leader", async () => {
    let isSilent = false;
    const member = await fleet.member(a, { isSilent: () => isSilent });
    const { mid } = member.identity;
    const part = { url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true };
    const { sid } = await b.fleet.createService(fleet.admin(b), { ...ON_ONE, parts: [part] });
    isSilent = true;
    const changing = b.fleet.changeService(fleet.admin(b), sid, { alias: "late" }, undefined);
    const changed = await changing;
    expect(changed.parts[0]?.state).not.toBe("applied");
    isSilent = false;
    await vi.waitFor(() => expect(member.parts.get(`${sid}/0`)?.order.alias).toBe("late"), LONG);
    await vi.waitFor(() => {
      for (const hub of [a, b]) {
        expect(hub.fleet.service(fleet.admin(hub), sid).parts[0]?.state).toBe("applied");
      }
    }, LONG);
  }, 120_000);

  // Beside it: this one has an engine of its own.
  test.concurrent("a frozen leader does not lead when it wakes; a killed one is followed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "nodepass-hub-"));
    const own = await TestFleet.start();
    let child: ChildProcess | undefined;
    try {
      await writeHubSecrets(directory, own.created.hub);
      const said: string[] = [];
      const script = fileURLToPath(new URL("support/hub-process.ts", import.meta.url));
      child = spawn(process.execPath, ["--no-warnings", script, directory, "child"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said.push(...text.trim().split("\n"));
      });
      await vi.waitFor(() => expect(said).toContain("leads"), LONG);
      const here = await own.hub({ id: "here" });
      await vi.waitFor(() => expect(here.fleet.info(own.admin(here)).leader).toBe("child"), LONG);
      expect(here.leadership.isLeading()).toBe(false);
      const before = said.length;
      child.kill("SIGSTOP");
      const frozenAt = performance.now();
      await vi.waitFor(() => expect(here.leadership.isLeading()).toBe(true), LONG);
      const tookMs = performance.now() - frozenAt;
      // The TTL of 5 s after its last renewal, a second, and a look every 1.25 s.
      expect(tookMs).toBeGreaterThan(4500);
      expect(tookMs).toBeLessThan(20_000);
      child.kill("SIGCONT");
      await vi.waitFor(() => expect(said.length).toBeGreaterThan(before), LONG);
      expect(said.slice(before)).toEqual(["follows"]);
      expect(here.leadership.isLeading()).toBe(true);
      // And the other way round.
      await here.close();
      await vi.waitFor(() => expect(said.at(-1)).toBe("leads"), LONG);
    } finally {
      child?.kill("SIGKILL");
      if (child !== undefined && child.exitCode === null) await once(child, "exit");
      await own.close();
      await rm(directory, { recursive: true, force: true });
    }
  }, 120_000);

  test("a token that one makes is good at the other, and gone at both", async () => {
    const { id, token } = await a.fleet.createToken(fleet.admin(a), {
      kind: "api",
      role: "viewer",
      selector: "",
      labels: {},
      note: "",
    });
    await vi.waitFor(() => expect(b.fleet.verifyToken(token, "127.0.0.1")?.role).toBe("viewer"));
    await b.fleet.removeToken(fleet.admin(b), id);
    await vi.waitFor(() => expect(a.fleet.verifyToken(token, "127.0.0.1")).toBeUndefined());
  });

  test("of two masters that two hubs remove at once, neither comes back", async () => {
    const [one, two] = [await fleet.member(a), await fleet.member(b)];
    await vi.waitFor(() => {
      expect(b.fleet.master(fleet.admin(b), one.identity.mid)).toBeDefined();
      expect(b.fleet.master(fleet.admin(b), two.identity.mid)).toBeDefined();
    });
    const closed = [one, two].map(async (member) => member.connection?.closed());
    await Promise.all([
      a.fleet.removeMaster(fleet.admin(a), one.identity.mid, { stop: false }),
      b.fleet.removeMaster(fleet.admin(b), two.identity.mid, { stop: false }),
    ]);
    // Each pushed an account; the leader sees to what the later one did not know.
    await Promise.all(closed);
  }, 60_000);
});
