import {
  type HistoryRange,
  type InstanceBan,
  type InstanceHistory,
  type InstanceLogs,
  type InstancePort,
  KEY_INSTANCE_ID,
  type KeyAccess,
} from "@nodepass/model";
import { Api, type ApiOptions, type EventTicket } from "./ask-api.ts";
import { MasterClientError } from "./client-error.ts";
import { unreachable } from "./connection-error.ts";
import type { HttpRequest, OpenAnswer } from "./exchange.ts";
import { count, isRecord, type RemoteInstance, readInstance, text } from "./remote-instance.ts";
import { readBans, readHistory, readLogs, readPorts } from "./remote-records.ts";

/** Which master, and how it is asked. */
export type MasterClientOptions = ApiOptions;

/** What can be changed of an instance with PATCH. */
export interface RemoteChange {
  readonly alias?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly action?: "start" | "stop" | "restart" | "reset" | undefined;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** An answer to a TCP ping. */
export interface RemoteTcping {
  readonly connected: boolean;
  /** Milliseconds. */
  readonly latency: number;
  readonly error: string;
}

/** Which log lines are wanted. */
export interface RemoteLogQuery {
  /** The last so many. @default all that are kept */
  readonly tail?: number | undefined;
  /** Only those later than this. */
  readonly since?: Date | undefined;
}

/** What a master says of itself. */
export interface RemoteReadiness {
  readonly isReady: boolean;
  /** Its own words, line by line. */
  readonly lines: readonly string[];
}

/**
 * A master, asked over HTTP: ours or NodePass 1.14. Every method throws a {@link MasterClientError}
 * that says what went wrong.
 */
export interface MasterClient {
  readonly origin: string;
  /** All instances but the API key's entry. */
  list(): Promise<RemoteInstance[]>;
  get(id: string): Promise<RemoteInstance>;
  create(url: string, alias?: string): Promise<RemoteInstance>;
  change(id: string, change: RemoteChange): Promise<RemoteInstance>;
  replaceUrl(id: string, url: string): Promise<RemoteInstance>;
  remove(id: string): Promise<void>;
  info(): Promise<Readonly<Record<string, unknown>>>;
  /** Names the master. */
  rename(alias: string): Promise<Readonly<Record<string, unknown>>>;
  tcping(target: string): Promise<RemoteTcping>;
  /** The last log lines of an instance; masters before ours know no such thing: `NOT_FOUND`. */
  logs(id: string, query?: RemoteLogQuery): Promise<InstanceLogs>;
  /** Rates, connections, pool and ping over time; the same. */
  history(id: string, range?: HistoryRange): Promise<InstanceHistory>;
  /** Addresses that an instance refuses for a while; masters before ours know no such thing: `NOT_FOUND`. */
  bans(id: string): Promise<readonly InstanceBan[]>;
  /** What each port of an instance's range has carried; the same. */
  ports(id: string): Promise<readonly InstancePort[]>;
  /** Ends bans before their time. @param address one of `bans()`. @default all @returns how many */
  liftBans(id: string, address?: string): Promise<number>;
  /** Makes a new API key; this client goes on with it. @returns the key */
  renewKey(): Promise<string>;
  /** Makes a new key that may only read; the old one is refused from then on. @returns the key */
  renewReadKey(): Promise<string>;
  /** What the key may do: masters show themselves whole only to one that may do everything. */
  access(): Promise<KeyAccess>;
  /** Whether the master answers; needs no key. */
  isAlive(): Promise<boolean>;
  /** Whether it can do its work, and what it says of that; needs no key. */
  readiness(): Promise<RemoteReadiness>;
  /** Goes on with another key. */
  setKey(key: string): void;
  /** Metrics in the Prometheus text format. */
  metrics(): Promise<string>;
  /** The document of the API. */
  openApi(): Promise<Readonly<Record<string, unknown>>>;
  /** A ticket for one event stream. */
  createEventTicket(): Promise<EventTicket>;
  /** Opens the event stream; the caller closes it. {@link followEvents} does, and comes back. */
  openEvents(signal: AbortSignal): Promise<OpenAnswer>;
}

/**
 * Creates the client; nothing is sent yet.
 *
 * @example
 * const client = createMasterClient({ address: parseMasterAddress("127.0.0.1:9090"), key });
 * const instances = await client.list();
 */
export function createMasterClient(options: MasterClientOptions): MasterClient {
  const api = new Api(options);
  const { origin } = api;
  const askJson = (sent: HttpRequest) => api.askJson(sent);
  const askRecord = (sent: HttpRequest, what: string) => api.askRecord(sent, what);

  const askInstance = async (sent: HttpRequest): Promise<RemoteInstance> => {
    const instance = readInstance(await askJson(sent));
    if (instance === undefined) throw unreachable(origin, "it answers without an instance");
    return instance;
  };

  const openEvents = (signal: AbortSignal): Promise<OpenAnswer> =>
    options.eventTickets === true
      ? api.openWithTicket("/events", {}, signal)
      : api.openStream({ path: "/events", signal });

  const instancePath = (id: string) => `/instances/${encodeURIComponent(id)}`;

  return {
    origin,
    list: async () => {
      const answer = await askJson({ method: "GET", path: "/instances" });
      if (!Array.isArray(answer)) throw unreachable(origin, "it answers without instances");
      return answer.map(readInstance).filter((instance) => instance !== undefined);
    },
    get: (id) => askInstance({ method: "GET", path: instancePath(id) }),
    create: (url, alias) =>
      askInstance({ method: "POST", path: "/instances", body: { url, alias } }),
    change: (id, change) => askInstance({ method: "PATCH", path: instancePath(id), body: change }),
    replaceUrl: (id, url) => askInstance({ method: "PUT", path: instancePath(id), body: { url } }),
    remove: async (id) => {
      await askJson({ method: "DELETE", path: instancePath(id) });
    },
    info: () => askRecord({ method: "GET", path: "/info" }, "information"),
    rename: (alias) => askRecord({ method: "POST", path: "/info", body: { alias } }, "information"),
    tcping: async (address) => {
      const path = `/tcping?target=${encodeURIComponent(address)}`;
      const answer = await askRecord({ method: "GET", path }, "a result");
      const { connected, latency, error } = answer;
      return { connected: connected === true, latency: count(latency), error: text(error) };
    },
    renewKey: async () => {
      // The asterisks go as they are: 1.14 compares the path's text.
      const path = `/instances/${KEY_INSTANCE_ID}`;
      const answer = await askJson({ method: "PATCH", path, body: { action: "restart" } });
      const renewed = isRecord(answer) ? answer.url : undefined;
      if (typeof renewed !== "string" || renewed === "" || renewed === api.key) {
        throw new MasterClientError("REFUSED", `the master at ${origin} made no new key`);
      }
      api.setKey(renewed);
      return renewed;
    },
    renewReadKey: async () => {
      const { key: made } = await askRecord({ method: "POST", path: "/keys/read" }, "a key");
      if (typeof made === "string" && made !== "") return made;
      throw new MasterClientError("REFUSED", `the master at ${origin} made no new key`);
    },
    access: async () => {
      const path = `/instances/${KEY_INSTANCE_ID}`;
      const entry = await askRecord({ method: "GET", path }, "what the key may do");
      // Who may only read is not told the key; NodePass 1.14 knows one kind.
      return entry.url === "" ? "read" : "full";
    },
    // One that knows no such path answers too.
    isAlive: async () => (await api.probe("/healthz")).status < 500,
    readiness: async () => {
      const { status, text: said } = await api.probe("/readyz");
      return { isReady: status === 200, lines: said.split("\n").filter((line) => line !== "") };
    },
    logs: async (id, { tail, since } = {}) => {
      const query = new URLSearchParams({
        ...(tail !== undefined && { tail: String(tail) }),
        ...(since !== undefined && { since: since.toISOString() }),
      });
      const path = `${instancePath(id)}/logs?${query}`;
      return readLogs(await askRecord({ method: "GET", path }, "log lines"));
    },
    history: async (id, range = "hour") => {
      const path = `${instancePath(id)}/history?range=${range}`;
      return readHistory(await askRecord({ method: "GET", path }, "a history"));
    },
    bans: async (id) =>
      readBans(await askRecord({ method: "GET", path: `${instancePath(id)}/bans` }, "bans")),
    ports: async (id) =>
      readPorts(await askRecord({ method: "GET", path: `${instancePath(id)}/ports` }, "ports")),
    liftBans: async (id, address) => {
      const query = address === undefined ? "" : `?address=${encodeURIComponent(address)}`;
      const path = `${instancePath(id)}/bans${query}`;
      return count((await askRecord({ method: "DELETE", path }, "a number of bans")).lifted);
    },
    setKey: (other) => api.setKey(other),
    metrics: async () => {
      // Text is no sign of an API: where it is, something that answers JSON says.
      if (!api.isFound) await askRecord({ method: "GET", path: "/info" }, "information");
      return (await api.ask({ method: "GET", path: "/metrics" })).text;
    },
    openApi: () => askRecord({ method: "GET", path: "/openapi.json" }, "a document"),
    createEventTicket: () => api.createTicket("/events"),
    openEvents,
  };
}
