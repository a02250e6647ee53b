import { createHash, timingSafeEqual } from "node:crypto";
import {
  type CreatedInstance,
  HISTORY_RANGES,
  type HistoryRange,
  type Instance,
  type InstanceBan,
  type InstanceChange,
  type InstanceEvent,
  type InstanceHistory,
  type InstanceLogLine,
  type InstanceLogs,
  type InstancePort,
  type InstanceService,
  type KeyAccess,
  type Latencies,
  type LogQuery,
  type MasterIdentity,
  type MasterInfo,
  type MasterReadiness,
  type MasterService,
  type NewInstance,
  NO_COUNTERS,
  NO_META,
  type ProcessMetrics,
  type ReplacedInstance,
  ServiceError,
  type ServiceErrorCode,
  type TcpingResult,
  type UrlChanges,
} from "@nodepass/model";

export const FIRST_KEY = "0123456789abcdef0123456789abcdef";
export const MASTER_ID = "00112233445566ff";

const sha256 = (text: string) => createHash("sha256").update(text).digest();

/** Any instance, whole. */
export function instanceOf(fields: Partial<Instance> = {}): Instance {
  return {
    id: "a1b2c3d4",
    alias: "",
    type: "server",
    status: "running",
    url: "server://127.0.0.1:10101/127.0.0.1:8080",
    config: "server://127.0.0.1:10101/127.0.0.1:8080?log=info&tls=0",
    restart: true,
    meta: NO_META,
    mode: 1,
    ...NO_COUNTERS,
    link: "up",
    reason: "",
    since: "2026-01-02T03:04:05.678Z",
    nextRetry: null,
    restingTargets: [],
    ...fields,
  };
}

const INFO: MasterInfo = {
  mid: MASTER_ID,
  alias: "",
  os: "linux",
  arch: "amd64",
  noc: 2,
  cpu: 12.7,
  mem_total: 8_000_000_000,
  mem_used: 5_000_000_000.4,
  mem_free: 3_000_000_000,
  swap_total: 0,
  swap_used: 0,
  swap_free: 0,
  netrx: 1,
  nettx: 2,
  diskr: 3,
  diskw: 4,
  sysup: 86_400.25,
  name: "host.example",
  uptime: 11.9,
  log: "info",
  tls: "0",
  crt: "",
  key: "",
};

/** A master in memory that behaves as the interface says. */
export class FakeService implements InstanceService, MasterService {
  readonly instances = new Map<string, Instance>();
  readonly #listeners = new Set<(event: InstanceEvent) => void>();
  #key = FIRST_KEY;
  #info = INFO;
  #next = 1;
  /** Set to make every change fail. */
  failure: ServiceErrorCode | Error | undefined;
  /** What pings do; default: connected in 1.6 ms. */
  onTcping: (host: string, port: number, signal: AbortSignal) => Promise<TcpingResult> = () =>
    Promise.resolve({ connected: true, latencyMs: 1.6, error: null });
  /** Of URLs that come in. */
  warnings: string[] = [];
  changes: UrlChanges = { inPlace: [], restarted: ["tls"] };
  /** A key that may only read. */
  readKey: string | undefined;
  ready = { state: true, workers: true };
  lines: InstanceLogLine[] = [];
  /** Everything that was asked for, in order. */
  readonly calls: { readonly name: string; readonly arguments: readonly unknown[] }[] = [];

  /** What instances have measured, by id. */
  readonly measured = new Map<string, Latencies>();
  async latencies(): Promise<ReadonlyMap<string, Latencies>> {
    return this.measured;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(event: InstanceEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Puts an instance in place without a call of the API. */
  add(fields: Partial<Instance> = {}): Instance {
    const instance = instanceOf(fields);
    this.instances.set(instance.id, instance);
    return instance;
  }

  /** Changes an instance and tells the listeners. */
  change(id: string, fields: Partial<Instance>): Instance {
    const instance = { ...this.#existing(id), ...fields };
    this.instances.set(id, instance);
    this.emit({ type: "update", instance });
    return instance;
  }

  async list(): Promise<readonly Instance[]> {
    return [...this.instances.values()];
  }

  async get(id: string): Promise<Instance | undefined> {
    return this.instances.get(id);
  }

  async create({ url, alias = "" }: NewInstance): Promise<CreatedInstance> {
    this.#begin("create", url, alias);
    const type = this.#typeOf(url);
    this.#checkConflict(url, "");
    const id = `id${String(this.#next++).padStart(6, "0")}`;
    const instance = this.add({ id, url, alias, type, config: `${url}#config` });
    this.emit({ type: "create", instance });
    return { ...instance, warnings: this.warnings };
  }

  async update(id: string, change: InstanceChange): Promise<Instance> {
    this.#begin("update", id, change);
    const current = this.#existing(id);
    const { alias, restart, meta, action } = change;
    const status =
      action === "stop"
        ? "stopped"
        : action === undefined || action === "reset"
          ? current.status
          : "running";
    const zero = action === "reset" ? { tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 } : {};
    return this.change(id, {
      ...zero,
      status,
      alias: alias ?? current.alias,
      restart: restart ?? current.restart,
      meta: { peer: meta?.peer ?? current.meta.peer, tags: meta?.tags ?? current.meta.tags },
    });
  }

  async replaceUrl(id: string, url: string): Promise<ReplacedInstance> {
    this.#begin("replaceUrl", id, url);
    const current = this.#existing(id);
    const type = this.#typeOf(url);
    if (current.url === url) throw new ServiceError("SAME_URL", "same URL");
    this.#checkConflict(url, id);
    const changed = this.change(id, { url, type, config: `${url}#config`, status: "running" });
    return { ...changed, warnings: this.warnings, changes: this.changes };
  }

  async remove(id: string): Promise<void> {
    this.#begin("remove", id);
    const instance = this.#existing(id);
    this.instances.delete(id);
    this.emit({ type: "delete", instance });
  }

  async identity(): Promise<MasterIdentity> {
    return { masterId: MASTER_ID, apiKey: this.#key, readKey: this.readKey };
  }

  /** The key now. */
  apiKey(): string {
    return this.#key;
  }

  async verifyKey(candidate: string): Promise<KeyAccess | undefined> {
    if (timingSafeEqual(sha256(candidate), sha256(this.#key))) return "full";
    return candidate === this.readKey ? "read" : undefined;
  }

  async renewKey(access: KeyAccess): Promise<string> {
    this.#begin("renewKey", access);
    if (access === "read") {
      this.readKey = sha256(`read ${this.readKey}`).toString("hex").slice(0, 32);
      return this.readKey;
    }
    this.#key = sha256(this.#key).toString("hex").slice(0, 32);
    return this.#key;
  }

  async info(): Promise<MasterInfo> {
    return this.#info;
  }

  async setAlias(alias: string): Promise<MasterInfo> {
    this.#begin("setAlias", alias);
    this.#info = { ...this.#info, alias };
    return this.#info;
  }

  tcping(host: string, port: number, signal: AbortSignal): Promise<TcpingResult> {
    this.calls.push({ name: "tcping", arguments: [host, port] });
    return this.onTcping(host, port, signal);
  }

  async logs(id: string, query: LogQuery): Promise<InstanceLogs> {
    this.#begin("logs", id, query);
    this.#existing(id);
    return { lines: this.lines, total: this.lines.length };
  }

  async history(id: string, range: HistoryRange): Promise<InstanceHistory> {
    this.#begin("history", id, range);
    this.#existing(id);
    const none = [null, 15];
    const series = { rx: none, tx: none, tcps: none, udps: none, pool: none, ping: none };
    const { stepSeconds: step } = HISTORY_RANGES[range];
    return { step, start: "2026-01-02T03:04:05.000Z", ...series };
  }

  /** Of every instance. */
  banned: readonly InstanceBan[] = [];

  async bans(id: string): Promise<readonly InstanceBan[]> {
    this.#begin("bans", id);
    this.#existing(id);
    return this.banned;
  }

  portCounters: readonly InstancePort[] = [];

  async ports(id: string): Promise<readonly InstancePort[]> {
    this.#begin("ports", id);
    this.#existing(id);
    return this.portCounters;
  }

  async liftBans(id: string, address?: string): Promise<number> {
    this.#begin("liftBans", id, address);
    this.#existing(id);
    const before = this.banned.length;
    this.banned = this.banned.filter((ban) => address !== undefined && ban.address !== address);
    return before - this.banned.length;
  }

  async readiness(): Promise<MasterReadiness> {
    return this.ready;
  }

  subscribe(listener: (event: InstanceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async processMetrics(): Promise<ProcessMetrics> {
    return {
      startTimeSeconds: 1_700_000_000,
      cpuUserSeconds: 1.5,
      cpuSystemSeconds: 0.5,
      residentMemoryBytes: 50_000_000,
      heapUsedBytes: 10_000_000,
      heapTotalBytes: 20_000_000,
      openFileDescriptors: 23,
      workers: 2,
      workerRestarts: 1,
    };
  }

  #begin(name: string, ...given: readonly unknown[]): void {
    this.calls.push({ name, arguments: given });
    if (this.failure instanceof Error) throw this.failure;
    if (this.failure !== undefined) throw new ServiceError(this.failure, "the service says no");
  }

  #existing(id: string): Instance {
    const instance = this.instances.get(id);
    if (instance === undefined) throw new ServiceError("NOT_FOUND", "no such instance");
    return instance;
  }

  #typeOf(url: string): "server" | "client" {
    if (url.startsWith("server://")) return "server";
    if (url.startsWith("client://")) return "client";
    throw new ServiceError("INVALID_URL", "the scheme is neither server nor client");
  }

  #checkConflict(url: string, except: string): void {
    const address = (text: string) => /^server:\/\/([^/]+)/.exec(text)?.[1];
    const wanted = address(url);
    if (wanted === undefined) return;
    for (const { id, url: held, status } of this.instances.values()) {
      if (id !== except && status === "running" && address(held) === wanted) {
        throw new ServiceError("CONFLICT", `address ${wanted} is held by ${id}`);
      }
    }
  }
}
