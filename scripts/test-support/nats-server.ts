import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { diesWithUs } from "./dies-with-us.ts";
import { findNatsServer } from "./find-nats-server.ts";
import { reservePort } from "./reserve-port.ts";

export { diesWithUs } from "./dies-with-us.ts";
export { findNatsServer, NATS_SERVER_VERSION } from "./find-nats-server.ts";

/** Longest wait for a server to say that it is ready, on a machine where others work, ms. */
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;

/** Where a server is to be: what its configuration is made of. All addresses are `127.0.0.1:port`. */
export interface NatsPlace {
  name: string;
  /** A folder of its own, empty at first; stays over `restart`. */
  dir: string;
  listen: string;
  /** Free for a WebSocket listener. */
  websocket: string;
  /** Of this server, and of all servers of its cluster. */
  cluster: { listen: string; routes: string[] };
}

/** Makes a server's configuration; called again at each `restart`. */
export type NatsConfig = (place: NatsPlace) => string;

/** A real nats-server. What it wrote to its log is in what `start` and `ready` throw. */
export interface NatsServer {
  readonly place: NatsPlace;
  /** `127.0.0.1:port`, for `connect({ servers })`. */
  readonly url: string;
  /** `ws://127.0.0.1:port` */
  readonly websocketUrl: string;
  /** Of the running process. */
  readonly pid: number | undefined;
  /** Waits until it answers that it is healthy, with JetStream. */
  ready(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** SIGSTOP: it holds its connections and does nothing. */
  freeze(): void;
  thaw(): void;
  /** Starts it again, in the same folder and at the same addresses. */
  restart(): Promise<void>;
  /** SIGHUP after the configuration is written anew: it reads it while it runs. */
  reload(): Promise<void>;
  /** All that it has written. */
  log(): Promise<string>;
  /** Kills it and removes its folder. */
  close(): Promise<void>;
}

/** Starts one server and waits until it is ready. */
export async function startNatsServer(config: NatsConfig): Promise<NatsServer> {
  const [server] = await startAll(config, 1);
  if (server === undefined) throw new Error("no server");
  return server;
}

/** Starts servers that are to know each other (`place.cluster`) and waits until all are ready. */
export async function startNatsCluster(config: NatsConfig, size = 3): Promise<NatsServer[]> {
  return startAll(config, size);
}

async function startAll(config: NatsConfig, size: number): Promise<NatsServer[]> {
  const program = findNatsServer();
  if (program === undefined) throw new Error("there is no nats-server");
  const address = async () => `127.0.0.1:${await reservePort()}`;
  const routes: string[] = [];
  for (let index = 0; index < size; index += 1) routes.push(await address());
  const servers: ServerProcess[] = [];
  for (const [index, listen] of routes.entries()) {
    const folder = await mkdtemp(join(tmpdir(), "nodepass-nats-"));
    const dir = join(folder, "store");
    await mkdir(dir);
    const place = {
      name: `n${index + 1}`,
      dir,
      listen: await address(),
      websocket: await address(),
      cluster: { listen, routes },
    };
    servers.push(new ServerProcess(program, folder, place, await address(), config));
  }
  try {
    // Servers of a cluster are ready only together.
    for (const server of servers) await server.launch();
    for (const server of servers) await server.ready();
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  return servers;
}

class ServerProcess implements NatsServer {
  readonly place: NatsPlace;
  readonly #program: string;
  readonly #folder: string;
  readonly #monitor: string;
  readonly #config: NatsConfig;
  #child: ChildProcess | undefined;

  constructor(
    program: string,
    folder: string,
    place: NatsPlace,
    monitor: string,
    config: NatsConfig,
  ) {
    this.#program = program;
    this.#folder = folder;
    this.place = place;
    this.#monitor = monitor;
    this.#config = config;
  }

  get url(): string {
    return this.place.listen;
  }

  get websocketUrl(): string {
    return `ws://${this.place.websocket}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get #logFile(): string {
    return join(this.#folder, "log");
  }

  async launch(): Promise<void> {
    await this.#writeConfig();
    const files = ["-c", join(this.#folder, "conf"), "-l", this.#logFile];
    const child = spawn(this.#program, files, { stdio: "ignore" });
    await once(child, "spawn");
    this.#child = child;
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    diesWithUs(child);
  }

  async #writeConfig(): Promise<void> {
    const text = `${this.#config(this.place)}\nhttp: "${this.#monitor}"\n`;
    await writeFile(join(this.#folder, "conf"), text, { mode: 0o600 });
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    let last = "no answer";
    while (Date.now() < deadline) {
      if (this.#child === undefined) {
        throw new Error(`nats-server ${this.place.name} has ended:\n${await this.log()}`);
      }
      try {
        const answer = await fetch(`http://${this.#monitor}/healthz`, {
          signal: AbortSignal.timeout(2000),
        });
        last = await answer.text();
        if (answer.ok) return;
      } catch (error) {
        last = String(error);
      }
      await delay(20);
    }
    throw new Error(`nats-server ${this.place.name} is not ready: ${last}\n${await this.log()}`);
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill(signal);
    // A frozen process takes no other signal before it wakes.
    if (signal === "SIGTERM") child.kill("SIGCONT");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(late);
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.launch();
    await this.ready();
  }

  async reload(): Promise<void> {
    await this.#writeConfig();
    this.#child?.kill("SIGHUP");
  }

  async log(): Promise<string> {
    return readFile(this.#logFile, "utf8").catch(() => "");
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
