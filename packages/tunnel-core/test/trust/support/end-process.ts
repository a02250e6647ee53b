import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LogRecord, TunnelOptions, TunnelState } from "../../../src/index.ts";
import type { EndAnswer, EndOrder, EndStats } from "./end-protocol.ts";

const CHILD = fileURLToPath(new URL("./end-child.ts", import.meta.url));

/** Node before 22.18 has to be told that it may run TypeScript; later ones take the flag, too. */
const FLAGS = [
  "--expose-gc",
  "--disable-warning=ExperimentalWarning",
  "--experimental-strip-types",
];

export interface EndProcessOptions {
  /** Words before the command: `ip netns exec NAME`, `prlimit --nofile=256`. */
  readonly wrapper?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A tunnel end in a process of its own: to be killed, frozen, starved, or put behind a bad path. */
export class EndProcess {
  readonly logs: LogRecord[] = [];
  readonly states: { readonly state: TunnelState; readonly at: number }[] = [];
  /** All that it printed. */
  output = "";
  tunnelPort = 0;
  entryPort = 0;
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: EndAnswer) => void)[] = [];

  constructor(options: EndProcessOptions = {}) {
    const env = { ...process.env, NODE_OPTIONS: "", ...options.env };
    const [command, ...words] = options.wrapper ?? [];
    this.#child =
      command === undefined
        ? fork(CHILD, { execArgv: FLAGS, env, silent: true })
        : spawn(command, [...words, process.execPath, ...FLAGS, CHILD], {
            env,
            stdio: ["ignore", "pipe", "pipe", "ipc"],
          });
    this.#child.stdout?.on("data", (text) => {
      this.output += String(text);
    });
    this.#child.stderr?.on("data", (text) => {
      this.output += String(text);
    });
    this.#child.on("message", (answer: EndAnswer) => this.#answered(answer));
    this.#child.on("error", (error) => {
      this.output += error.message;
    });
  }

  /** Starts an end; resolves when `openTunnel` has. */
  static async open(
    url: string,
    limits: TunnelOptions["limits"] = {},
    options: EndProcessOptions = {},
  ): Promise<EndProcess> {
    const end = new EndProcess(options);
    await end.open(url, limits);
    return end;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get state(): TunnelState | undefined {
    return this.states.at(-1)?.state;
  }

  async open(url: string, limits: TunnelOptions["limits"] = {}): Promise<void> {
    const answer = await this.#ask({ order: "open", url, limits });
    if (answer.tell !== "open") throw new Error(`end not opened: ${JSON.stringify(answer)}`);
    this.tunnelPort = answer.tunnelPort ?? 0;
    this.entryPort = answer.entryPort ?? 0;
  }

  /** Makes it an echo instead of a tunnel end. @returns its port */
  async echo(): Promise<number> {
    const answer = await this.#ask({ order: "echo" });
    return answer.tell === "echo" ? answer.port : 0;
  }

  /** @param collect after a collection of its heap, which takes it some milliseconds */
  async stats(collect = true): Promise<EndStats> {
    const answer = await this.#ask({ order: "stats", collect });
    if (answer.tell !== "stats") throw new Error(`no stats: ${JSON.stringify(answer)}`);
    return answer.stats;
  }

  async close(timeoutMs: number): Promise<void> {
    await this.#ask({ order: "close", timeoutMs });
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  #ask(order: EndOrder): Promise<EndAnswer> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`the end has died: ${this.output}`));
      this.#child.once("exit", onExit);
      this.#waiting.push((answer) => {
        this.#child.off("exit", onExit);
        resolve(answer);
      });
      this.#child.send(order);
    });
  }

  #answered(answer: EndAnswer): void {
    if (answer.tell === "log") this.logs.push(answer.record);
    else if (answer.tell === "state") this.states.push(answer);
    else this.#waiting.shift()?.(answer);
  }
}
