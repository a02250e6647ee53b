import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diesWithUs, findNatsServer } from "test-support/nats";
import { onTestFinished, vi } from "vitest";
import { temporaryFolder } from "./folder.ts";
import { workspaceFolder } from "./pack.ts";
import { type RunningCli, type RunResult, runCli, startCli } from "./run-cli.ts";

const masterEntry = `${workspaceFolder}/apps/master/dist/main.js`;

/** A nats-server that runs. */
export interface RunningEngine {
  readonly child: ChildProcess;
  log(): string;
  kill(): Promise<void>;
}

/** A master that runs. */
export interface RunningMember {
  readonly running: RunningCli;
  /** Its own, not the fleet's. */
  readonly key: string;
  readonly url: string;
  readonly stateDirectory: string;
}

/** Loopback addresses of one test of one run: other runs of the same suite have others. */
export const netOf = (test: number) => `127.${64 + (process.pid % 190)}.${test}`;

/** The machines of a fleet on loopback addresses of one test, and what people type there. */
export class FleetPlace {
  /** Where `fleet init` has written. */
  readonly folder: string;
  /** Of hub and engine. */
  readonly host: string;
  readonly #work = temporaryFolder();
  readonly #environment = { XDG_CONFIG_HOME: temporaryFolder() };

  /** @param net of {@link netOf}: the hub is its `.1`, masters come from `.11` on */
  constructor(net: string, name = "prod") {
    this.host = `${net}.1`;
    this.folder = join(this.#work, name);
  }

  /** Runs `nodepass` as somebody at a desk. */
  async run(
    argv: readonly string[],
    { code = 0, input = "", cwd = this.#work } = {},
  ): Promise<string> {
    const result = await this.#ended(argv, { input, cwd });
    if (result.code !== code) {
      throw new Error(
        `${argv.join(" ")} ended with ${result.code}:\n${result.stdout}${result.stderr}`,
      );
    }
    return result.stdout;
  }

  /** Starts `nodepass` as somebody at a desk. */
  start(argv: readonly string[]): RunningCli {
    return startCli(argv, { environment: this.#environment, cwd: this.#work });
  }

  async json<Value = unknown>(argv: readonly string[]): Promise<Value> {
    return JSON.parse(await this.run([...argv, "--json"]));
  }

  #ended(
    argv: readonly string[],
    { input, cwd }: { input: string; cwd: string },
  ): Promise<RunResult> {
    const { child, ended } = startCli(argv, { environment: this.#environment, cwd });
    child.stdin.end(input);
    return ended;
  }

  /** Runs `fleet init` here. @returns the admin token, and the fingerprint that it says */
  async init(argv: readonly string[] = []): Promise<{ token: string; pin: string }> {
    const all = ["fleet", "init", this.folder, "--name", "prod", "--host", this.host];
    // Ports below 1024 need privileges; the engine's own pages are on an address that all share.
    const own = ["--listen", "host", "--websocket-port", "8443"];
    const { code, stdout, stderr } = await this.#ended([...all, ...own, ...argv], {
      input: "",
      cwd: this.#work,
    });
    if (code !== 0) throw new Error(`init ended with ${code}: ${stderr}`);
    const conf = join(this.folder, "nats/nats-0.conf");
    writeFileSync(
      conf,
      readFileSync(conf, "utf8").replace(/^http: .*$/m, `http: "${this.host}:8222"`),
    );
    return { token: stdout.trim(), pin: /--pin (\S+)/.exec(stderr)?.[1] ?? "" };
  }

  /** Starts the engine and waits until it is ready. */
  async engine(): Promise<RunningEngine> {
    const program = findNatsServer();
    if (program === undefined) throw new Error("there is no nats-server");
    const child = spawn(program, ["-c", "nats/nats-0.conf"], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-50_000);
    });
    diesWithUs(child);
    const kill = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    };
    onTestFinished(kill);
    await vi.waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`the engine has ended:\n${log}`);
        const answer = await fetch(`http://${this.host}:8222/healthz`);
        if (!answer.ok) throw new Error(await answer.text());
      },
      { timeout: 60_000, interval: 50 },
    );
    return { child, log: () => log, kill };
  }

  /** Starts the hub and waits until it listens. */
  async hub(argv: readonly string[] = []): Promise<RunningCli> {
    const hub = startCli(["fleet", "hub", this.folder, ...argv], {
      environment: this.#environment,
    });
    await hub.waitFor(/^Hub URL: /m);
    return hub;
  }

  login({ token, pin }: { token: string; pin: string }): Promise<string> {
    const argv = ["login", "prod", "--master", `https://${this.host}:9443`, "--pin", pin];
    return this.run(argv, { input: `${token}\n` });
  }

  /** Runs `nodepass-master` to its end. @returns its standard output */
  async master(argv: readonly string[], stateDirectory: string): Promise<string> {
    const environment = { NP_STATE_DIR: stateDirectory };
    const { code, stdout, stderr } = await runCli(argv, { entry: masterEntry, environment });
    if (code !== 0) throw new Error(`nodepass-master ${argv.join(" ")}: ${code} ${stderr}`);
    return stdout;
  }

  /** Starts a master, the first time with a token. */
  async member(
    address: string,
    { token, stateDirectory = temporaryFolder() }: { token?: string; stateDirectory?: string } = {},
  ): Promise<RunningMember> {
    const join = token === undefined ? [] : ["--join", token];
    const key = `the-key-of-${address}`;
    const running = startCli([`master://${address}:9090/api`, ...join], {
      entry: masterEntry,
      environment: {
        NP_STATE_DIR: stateDirectory,
        NP_WORKERS: "1",
        NP_REPORT_INTERVAL: "300ms",
        NP_API_KEY: key,
      },
    });
    const [, url = ""] = await running.waitFor(/^API URL: (\S+)$/m);
    return { running, key, url, stateDirectory };
  }
}
