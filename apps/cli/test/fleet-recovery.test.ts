import { once } from "node:events";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import type { FleetInfo, FleetMaster, Service } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { expect, it, onTestFinished, vi } from "vitest";
import { commandsOf } from "./support/document.ts";
import {
  FleetPlace,
  netOf,
  type RunningEngine,
  type RunningMember,
} from "./support/fleet-place.ts";
import type { RunningCli } from "./support/run-cli.ts";

const hasEngine = findNatsServer() !== undefined;
const document = commandsOf("fleet-recovery.md");

/** The commands of a section, as they stand. */
function linesOf(section: string): readonly string[] {
  return (document.get(section) ?? []).map(({ line }) => line);
}

const eventually = (work: () => Promise<unknown>) =>
  vi.waitFor(work, { timeout: 60_000, interval: 200 });

/** A user who is connected all the time. */
interface Visitor {
  /** Says something through the tunnel; fails if it does not come back. */
  ask(): Promise<void>;
}

/** A fleet of two masters that runs a service on the second, and a visitor of it. */
class Rig {
  readonly place: FleetPlace;
  readonly net: string;
  readonly members: RunningMember[] = [];
  token = { token: "", pin: "" };
  #engine: RunningEngine | undefined;
  #hub: RunningCli | undefined;

  constructor(net: string) {
    this.net = net;
    this.place = new FleetPlace(net);
  }

  async start(): Promise<void> {
    const echo = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    echo.listen(28000, `${this.net}.20`);
    await once(echo, "listening");
    onTestFinished(() => {
      echo.close();
    });
    this.token = await this.place.init();
    await this.begin();
    await this.place.login(this.token);
    for (const at of [11, 12]) await this.join(`${this.net}.${at}`);
    await this.masters(2);
    await this.create("web", 28080);
    await eventually(() => this.visit().then((visitor) => visitor.ask()));
  }

  /** Engine and hub. */
  async begin(): Promise<void> {
    this.#engine = await this.place.engine();
    this.#hub = await this.place.hub();
  }

  /** Both are gone, without a word. */
  async lose(): Promise<void> {
    await this.#engine?.kill();
    this.#hub?.child.kill("SIGKILL");
    await this.#hub?.ended;
  }

  /** Both are stopped, as people do it: the hub gives up its lead. */
  async end(): Promise<void> {
    this.#hub?.child.kill("SIGTERM");
    await this.#hub?.ended;
    await this.#engine?.kill();
  }

  async join(address: string, stateDirectory?: string): Promise<void> {
    const token = (await this.place.run(["fleet", "token", "create"])).trim();
    this.members.push(
      await this.place.member(address, {
        token,
        ...(stateDirectory !== undefined && { stateDirectory }),
      }),
    );
  }

  create(alias: string, port: number): Promise<string> {
    const url = `client://${this.net}.12:${port}/${this.net}.20:28000?mode=1`;
    return this.place.run(["fleet", "create", url, "--on", this.mids()[1] ?? "", "--alias", alias]);
  }

  #mids: string[] = [];
  mids(): readonly string[] {
    return this.#mids;
  }

  /** So many are online, and have told a hub that has just begun what they accept. */
  async masters(count: number): Promise<void> {
    await eventually(async () => {
      const all = await this.place.json<FleetMaster[]>(["fleet", "ls"]);
      expect(all.map(({ status }) => status)).toEqual(Array(count).fill("online"));
      for (const { allow } of all) expect(allow).toContain("apply");
      this.#mids = all
        .toSorted((one, other) => one.joined.localeCompare(other.joined))
        .map(({ mid }) => mid);
    });
  }

  /** All these run, as the fleet says. */
  async run(...aliases: readonly string[]): Promise<readonly Service[]> {
    return vi.waitFor(
      async () => {
        const all = await this.place.json<Service[]>(["fleet", "ls", "services"]);
        expect(all.map(({ alias }) => alias).sort()).toEqual([...aliases].sort());
        for (const { parts } of all) expect(parts.map(({ state }) => state)).toEqual(["applied"]);
        return all;
      },
      { timeout: 60_000, interval: 200 },
    );
  }

  newestExport(): string {
    const folder = join(this.place.folder, "exports");
    return join(folder, readdirSync(folder).sort().at(-1) ?? "");
  }

  async visit(port = 28080): Promise<Visitor> {
    const socket = connect(port, `${this.net}.12`);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    onTestFinished(() => {
      socket.destroy();
    });
    return {
      ask: async () => {
        const answered = once(socket, "data", { signal: AbortSignal.timeout(10_000) });
        socket.write("still there?");
        const [bytes] = await answered;
        expect(String(bytes)).toBe("still there?");
      },
    };
  }
}

it.runIf(hasEngine)(
  "the store is lost: members and services come back from an export, and users notice nothing",
  async () => {
    const rig = new Rig(netOf(11));
    await rig.start();
    const exported = join(rig.place.folder, "exports/mine.json");
    await rig.place.run(["fleet", "export", "--to", exported]);
    const [before] = await rig.run("web");
    // Made later than the export.
    await rig.create("late", 28081);
    const users = [await rig.visit(), await rig.visit(28081)];
    await rig.lose();
    for (const user of users) await user.ask();

    expect(linesOf("The store is lost")).toEqual([
      "rm -rf data/nats-0",
      "nats-server -c nats/nats-0.conf",
      "nodepass fleet hub .",
      "nodepass fleet restore exports/NEWEST.json",
      "nodepass fleet rebuild",
      "nodepass fleet ls",
      "nodepass fleet ls services",
    ]);
    rmSync(join(rig.place.folder, "data/nats-0"), { recursive: true });
    await rig.begin();
    for (const user of users) await user.ask();
    expect(await rig.place.json(["fleet", "ls"])).toEqual([]);
    const empty = join(rig.place.folder, "exports/empty.json");
    await rig.place.run(["fleet", "export", "--to", empty]);
    await rig.place.run(["fleet", "restore", empty], { code: 1 });
    expect(await rig.place.run(["fleet", "restore", exported])).toBe(
      "1 created, 0 changed, 0 as they were\n2 masters are back\n",
    );
    await rig.masters(2);
    const [after] = await rig.run("web");
    expect(after?.sid).toBe(before?.sid);
    expect(after?.parts[0]?.instance).toBe(before?.parts[0]?.instance);
    await rig.place.run(["fleet", "restore", exported], { code: 1 });
    // What the export had not still runs; its master holds it for the fleet that made it.
    for (const user of users) await user.ask();
    expect(await rig.place.run(["fleet", "rebuild"])).toMatch(/^made late \([0-9a-f]{16}\) at /);
    await rig.run("late", "web");
    for (const user of users) await user.ask();
    expect(rig.members.map(({ running }) => running.child.exitCode)).toEqual([null, null]);
  },
  180_000,
);

it.runIf(hasEngine)(
  "the store is older: nothing stops, the alarm says so, and an import brings it up to date",
  async () => {
    const rig = new Rig(netOf(12));
    await rig.start();
    await rig.lose();
    const [data, copy] = ["data/nats-0", "data/older"].map((path) => join(rig.place.folder, path));
    cpSync(data ?? "", copy ?? "", { recursive: true });
    await rig.begin();
    await rig.masters(2);
    await rig.create("late", 28081);
    const exported = join(rig.place.folder, "exports/mine.json");
    await rig.place.run(["fleet", "export", "--to", exported]);
    const users = [await rig.visit(), await rig.visit(28081)];
    await rig.lose();
    rmSync(data ?? "", { recursive: true });
    cpSync(copy ?? "", data ?? "", { recursive: true });
    await rig.begin();

    expect(linesOf("The store is older")).toEqual([
      "nodepass fleet show",
      "nodepass fleet import exports/NEWEST.json",
    ]);
    await eventually(async () => {
      const { alarms } = await rig.place.json<FleetInfo>(["fleet", "show"]);
      expect(alarms.map(({ alarm }) => alarm)).toContain("store-older");
    });
    await rig.run("web");
    for (const user of users) await user.ask();
    expect(await rig.place.run(["fleet", "import", exported])).toMatch(/^1 created, /);
    await rig.run("late", "web");
    for (const user of users) await user.ask();
  },
  180_000,
);

it.runIf(hasEngine)(
  "there is no export: masters leave, join anew, and what they run is gathered",
  async () => {
    const rig = new Rig(netOf(13));
    await rig.start();
    const [before] = await rig.run("web");
    await rig.lose();
    rmSync(join(rig.place.folder, "data/nats-0"), { recursive: true });
    await rig.begin();
    expect(linesOf("There is no export")).toEqual([
      "nodepass-master --leave",
      "nodepass-master --join TOKEN",
      "nodepass fleet rebuild --dry-run",
      "nodepass fleet rebuild",
    ]);
    for (const [at, { running, stateDirectory }] of rig.members.splice(0).entries()) {
      running.child.kill("SIGTERM");
      await running.ended;
      expect(await rig.place.master(["--leave"], stateDirectory)).toMatch(
        /has left the fleet prod/,
      );
      await rig.join(`${rig.net}.${11 + at}`, stateDirectory);
    }
    await rig.masters(2);
    await eventually(() => rig.visit().then((visitor) => visitor.ask()));
    const user = await rig.visit();
    expect(await rig.place.run(["fleet", "rebuild", "--dry-run"])).toMatch(
      /^would make web \([0-9a-f]{16}\) at [0-9a-f]{16}\n$/,
    );
    expect(await rig.place.json(["fleet", "ls", "services"])).toEqual([]);
    expect(await rig.place.run(["fleet", "rebuild"])).toMatch(/^made web \(/);
    expect((await rig.run("web"))[0]?.sid).toBe(before?.sid);
    await user.ask();
    expect(await rig.place.run(["fleet", "rebuild"])).toBe("");
  },
  180_000,
);

it.runIf(hasEngine)(
  "the engine is away for a while: users stay, and everything is back by itself",
  async () => {
    const rig = new Rig(netOf(14));
    await rig.start();
    const user = await rig.visit();
    await rig.lose();
    await user.ask();
    // A master that restarts meanwhile starts what it ran.
    const [, second] = rig.members;
    second?.running.child.kill("SIGTERM");
    await second?.running.ended;
    await rig.place.member(`${rig.net}.12`, { stateDirectory: second?.stateDirectory ?? "" });
    await eventually(() => rig.visit().then((visitor) => visitor.ask()));
    expect(existsSync(rig.newestExport())).toBe(true);
    await rig.begin();
    await rig.masters(2);
    await rig.run("web");
  },
  180_000,
);

it.runIf(hasEngine)(
  "new keys take the place of former ones, and members need to do nothing for it",
  async () => {
    const rig = new Rig(netOf(15));
    await rig.start();
    const user = await rig.visit();
    const seed = ["--operator-seed", join(rig.place.folder, "keep-elsewhere/operator.seed")];
    // The box key's three steps, each with another key.
    const box = ["box"];
    for (const keys of [
      [["data"], box],
      [["members"], box],
      [["members", "--retire", "--force"], box],
      [["hubs"]],
      [["operator", ...seed]],
    ]) {
      await rig.end();
      for (const key of keys) await rig.place.run(["fleet", "rotate", rig.place.folder, ...key]);
      await rig.begin();
      await rig.masters(2);
    }
    // What is sealed with the new data key, and signed with the new keys, is taken.
    await rig.create("late", 28081);
    await rig.run("late", "web");
    await rig.join(`${rig.net}.13`);
    await rig.masters(3);
    await user.ask();
  },
  180_000,
);
