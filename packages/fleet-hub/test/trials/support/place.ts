import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serverConfig } from "@nodepass/fleet-protocol";
import { reservePort } from "test-support";
import { diesWithUs, type NatsServer, startNatsCluster } from "test-support/nats";
import { type CreatedFleet, createFleet, writeHubSecrets } from "../../../src/index.ts";
import { Calls } from "./calls.ts";
import { deferred } from "./deferred.ts";

export const FLEET = "trial";

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A hub in a process of its own. */
export interface HubChild {
  readonly calls: Calls;
  readonly pid: number;
  /** Of its API, with prefix and version. */
  readonly url: string;
}

/** Simulated members in a process of their own. */
export interface MembersChild {
  readonly calls: Calls;
  readonly pid: number;
  readonly mids: readonly string[];
}

/** Told when a member has taken an order: its alias, and when, by the machine's monotonic clock, ms. */
export type OnOrder = (order: { readonly alias: string; readonly at: number }) => void;

/** A fleet on one machine, each part of it in processes of its own: to be measured, frozen and killed. */
export class Place {
  readonly created: CreatedFleet;
  readonly engine: NatsServer;
  /** All of its servers; the first is `engine`. */
  readonly engines: readonly NatsServer[];
  readonly directory: string;
  readonly hubs: HubChild[] = [];
  readonly groups: MembersChild[] = [];
  readonly #children: ChildProcess[] = [];
  /** Told of each order that a member has taken. */
  onOrder: OnOrder = () => undefined;

  #port: number;

  private constructor(
    created: CreatedFleet,
    engines: readonly NatsServer[],
    directory: string,
    port: number,
  ) {
    const [engine] = engines;
    if (engine === undefined) throw new Error("no engine");
    this.#port = port;
    this.created = created;
    this.engine = engine;
    this.engines = engines;
    this.directory = directory;
  }

  /**
   * @param hubPort the first hub has a port that join tokens name: for real masters
   * @param alter makes a server's configuration another one; told the server's number, from 0
   */
  static async start({
    tls = false,
    hubPort = false,
    servers: count = 1,
    alter = (config: string, _server: number) => config,
  } = {}): Promise<Place> {
    const port = hubPort ? await reservePort() : 0;
    const directory = await mkdtemp(join(tmpdir(), "nodepass-trial-"));
    const files = { certFile: join(directory, "crt"), keyFile: join(directory, "key") };
    let ca = "";
    if (tls) {
      const subject = ["-subj", "/CN=engine", "-addext", "subjectAltName=IP:127.0.0.1"];
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      const out = ["-keyout", files.keyFile, "-out", files.certFile];
      execFileSync("openssl", ["req", "-x509", "-days", "2", ...subject, ...key, ...out], {
        stdio: "ignore",
      });
      ca = await readFile(files.certFile, "utf8");
    }
    const created = await createFleet({
      fleet: FLEET,
      servers: ["nats://127.0.0.1:1"],
      hubs: [`http://127.0.0.1:${port}/api`],
      ca,
    });
    const { secrets } = created.hub;
    const secret = randomBytes(24).toString("hex");
    const engines = await startNatsCluster(({ name, listen, dir, cluster }) => {
      const among = count > 1 && { cluster: { name: "c", secret, ...cluster } };
      const own = { name, listen, storeDir: dir, ...(tls && { tls: files }), ...among };
      return alter(serverConfig(secrets, own), cluster.routes.indexOf(cluster.listen));
    }, count);
    const servers = engines.map(({ url }) => `${tls ? "tls" : "nats"}://${url}`);
    const hub = { ...created.hub, servers, memberServers: servers };
    await writeHubSecrets(directory, hub);
    return new Place({ ...created, hub }, engines, directory, port);
  }

  get enginePid(): number {
    if (this.engine.pid === undefined) throw new Error("the engine does not run");
    return this.engine.pid;
  }

  get enginePort(): number {
    return Number(this.engine.url.split(":").at(-1));
  }

  #fork(name: string, argv: readonly string[], onNews: (news: never) => void): Calls {
    const child = fork(script(name), argv, {
      execArgv: ["--no-warnings"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    diesWithUs(child);
    this.#children.push(child);
    return new Calls(child, onNews);
  }

  async hub(): Promise<HubChild> {
    const opened = deferred<{ readonly url: string }>();
    const name = `hub-${this.hubs.length + 1}`;
    const calls = this.#fork(
      "hub-child.ts",
      [this.directory, name, String(this.#port)],
      opened.resolve,
    );
    this.#port = 0;
    calls.child.once("exit", (code) => opened.reject(new Error(`the hub has ended: ${code}`)));
    const { url } = await opened.promise;
    const made = { calls, pid: calls.child.pid ?? 0, url: `${url.replace(/\/$/, "")}/v1` };
    this.hubs.push(made);
    return made;
  }

  /** Which hub leads now. */
  async leader(): Promise<HubChild | undefined> {
    for (const hub of this.hubs) {
      if (hub.calls.child.exitCode !== null || hub.calls.child.signalCode !== null) continue;
      if (await hub.calls.ask<boolean>("leads")) return hub;
    }
    return undefined;
  }

  /** Starts a process for members, which are none yet. */
  process(): Calls {
    return this.#fork("members-child.ts", [], (order) => this.onOrder(order));
  }

  /** Joins members by one token, in a process. They do not start yet. */
  async join(
    calls: Calls,
    count: number,
    labels: Record<string, string> = {},
  ): Promise<MembersChild> {
    const [hub] = this.hubs;
    if (hub === undefined) throw new Error("no hub");
    const { token } = await this.ask<{ token: string }>("POST", "/fleet/tokens", {
      kind: "join",
      uses: count,
      labels,
    });
    const mids = await calls.ask<string[]>("join", { token, count, url: hub.url });
    const made = { calls, pid: calls.child.pid ?? 0, mids };
    this.groups.push(made);
    return made;
  }

  /** Asks a hub's API as its first admin. @throws with status and text of an answer that is none of 2xx */
  async ask<Answer>(
    method: string,
    path: string,
    body?: unknown,
    hub = this.hubs[0],
  ): Promise<Answer> {
    if (hub === undefined) throw new Error("no hub");
    const answer = await fetch(hub.url + path, {
      method,
      headers: {
        "X-API-Key": this.created.adminToken,
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  async kill({ calls }: { readonly calls: Calls }): Promise<void> {
    await end(calls.child);
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(end));
    await Promise.all(this.engines.map((engine) => engine.close()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
