import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import type { AuditEntry, FleetMaster, Service } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { expect, it, onTestFinished, vi } from "vitest";
import { FleetPlace, netOf, type RunningMember } from "./support/fleet-place.ts";

const NET = netOf(6);
const TARGET = `${NET}.20`;
/** Where users connect: an address that follows the owner, as all machines here share one loopback. */
const FLOATING = `${NET}.30`;
const TTL_S = 3;
const eventually = <Result>(work: () => Promise<Result>) =>
  vi.waitFor(work, { timeout: 60_000, interval: 100 });

/** What users get: they know no owner, only the address. */
async function visit(url: string): Promise<string> {
  const answer = await fetch(url, {
    signal: AbortSignal.timeout(2000),
    headers: { connection: "close" },
  });
  return answer.text();
}

it.runIf(findNatsServer() !== undefined)(
  "masters that are killed: a strict part and half a pair run elsewhere, and nowhere twice",
  async () => {
    const web = createServer((_request, response) => response.end("hello"));
    web.listen(8000, TARGET);
    await once(web, "listening");
    onTestFinished(() => {
      web.close();
      web.closeAllConnections();
    });
    const place = new FleetPlace(NET);
    const token = await place.init();
    await place.engine();
    await place.hub();
    await place.login(token);
    const members = new Map<string, RunningMember>();
    for (const at of [11, 12, 13]) {
      const token = (await place.run(["fleet", "token", "create"])).trim();
      const member = await place.member(`${NET}.${at}`, { token });
      const name = `m${at}`;
      members.set(name, member);
      const mid = await eventually(async () => {
        const all = await place.json<FleetMaster[]>(["fleet", "ls"]);
        const fresh = all.find((one) => !/^m1\d$/.test(one.name) && one.status === "online");
        if (fresh === undefined) throw new Error("it is not there yet");
        return fresh.mid;
      });
      await place.run(["fleet", "label", mid, "--name", name, "--address", `${NET}.${at}`]);
    }
    const owners = async (alias: string) => {
      const all = await place.json<Service[]>(["fleet", "ls", "services"]);
      const masters = await place.json<FleetMaster[]>(["fleet", "ls"]);
      const parts = all.find((one) => one.alias === alias)?.parts ?? [];
      return parts.map(({ owner }) => masters.find(({ mid }) => mid === owner)?.name);
    };
    const failover = ["--failover", "strict", "--ttl", String(TTL_S)];
    const single = `client://${FLOATING}:8081/${TARGET}:8000?mode=1`;
    await place.run(["fleet", "create", single, "--on", "m11", "--alias", "strict", ...failover]);
    await place.run([
      ...["fleet", "create", `server://0.0.0.0:auto/${FLOATING}:8082?mode=1&tls=1`],
      ...[`client://auto/${TARGET}:8000?mode=2`, "--on", "m11", "--on", "m12"],
      ...["--alias", "pair", "--failover", "serve", "--ttl", String(TTL_S)],
    ]);
    await eventually(async () => {
      expect(await visit(`http://${FLOATING}:8081/`)).toBe("hello");
      expect(await visit(`http://${FLOATING}:8082/`)).toBe("hello");
    });
    // Both are a file's: it names the master of the one, and says nothing of where the other runs.
    const file = join(dirname(place.folder), "site.yaml");
    writeFileSync(
      file,
      `tunnels:
  strict: { url: "${single}", on: m11, failover: strict, ttl: ${TTL_S} }
  pair:
    pair:
      server: { url: "server://0.0.0.0:auto/${FLOATING}:8082?mode=1&tls=1", selector: "" }
      client: { url: "client://auto/${TARGET}:8000?mode=2", selector: "" }
    failover: serve
    ttl: ${TTL_S}
`,
    );
    expect(await place.run(["apply", "-f", file, "--adopt"])).toMatch(
      /^change strict \(\w+\): tags: done\nchange pair \(\w+\): tags: done\n$/,
    );
    const before = await place.json<Service[]>(["fleet", "ls", "services"]);

    const victim = members.get("m11");
    victim?.running.child.kill("SIGKILL");
    const killedAt = performance.now();
    await victim?.running.ended;
    await eventually(async () => expect((await owners("strict"))[0]).not.toBe("m11"));
    await eventually(async () => expect(await visit(`http://${FLOATING}:8081/`)).toBe("hello"));
    const tookMs = performance.now() - killedAt;
    expect(tookMs).toBeGreaterThan(TTL_S * 750);
    await eventually(async () => {
      expect((await owners("pair"))[0]).not.toBe("m11");
      expect(await visit(`http://${FLOATING}:8082/`)).toBe("hello");
    });
    const after = await place.json<Service[]>(["fleet", "ls", "services"]);
    const epochs = (all: readonly Service[], alias: string) =>
      all.find((one) => one.alias === alias)?.parts.map(({ epoch }) => epoch);
    expect(epochs(after, "pair")).toEqual(epochs(before, "pair")?.map((epoch) => epoch + 1));
    const audit = await place.json<AuditEntry[]>(["fleet", "audit"]);
    expect(
      audit.filter(({ action, outcome }) => action === "service.failover" && outcome === "done"),
    ).toHaveLength(2);

    // It is back, and learns that nothing of it is its own any more.
    await place.member(`${NET}.11`, { stateDirectory: victim?.stateDirectory ?? "" });
    await eventually(async () => {
      const all = await place.json<FleetMaster[]>(["fleet", "ls"]);
      const back = all.find(({ name }) => name === "m11");
      expect(back).toMatchObject({ status: "online", parts: 0, instances: { running: 0 } });
    });
    // What was taken over stays where it is, but for what has to be at one master.
    expect(await place.run(["diff", "-f", file], { code: 6 })).toMatch(
      /^change strict \(\w+\): move\n$/,
    );
    // The exit of the pair goes there; the key of both ends is another one again.
    await place.run(["fleet", "move", "pair", "--part", "client", "--to", "m11"]);
    expect((await owners("pair"))[1]).toBe("m11");
    await eventually(async () => expect(await visit(`http://${FLOATING}:8082/`)).toBe("hello"));
  },
  180_000,
);
