import {
  type AuditEntry,
  AuditEntrySchema,
  type CreatedToken,
  CreatedTokenSchema,
  type FleetInfo,
  FleetInfoSchema,
  type FleetMaster,
  type FleetMasterChange,
  FleetMasterSchema,
  type FleetToken,
  FleetTokenSchema,
  type Move,
  type NewService,
  type NewToken,
  type Service,
  type ServiceChange,
  ServiceSchema,
} from "@nodepass/model/fleet";
import { z } from "zod";
import { Api, type ApiOptions } from "../ask-api.ts";
import { unreachable } from "../connection-error.ts";
import type { HttpRequest, OpenAnswer } from "../exchange.ts";
import { type RemoteInstance, readInstance } from "../remote-instance.ts";

/** What is not given has the schema's default. */
type Given<Whole> = Partial<Whole>;

/** What is given of a new service; the rest has its default. */
export type GivenService = Given<Omit<NewService, "parts">> & {
  readonly parts: readonly (Given<NewService["parts"][number]> & { readonly url: string })[];
};

/** What is given of a new token; the rest has its default. */
export type GivenToken = Given<NewToken> & Pick<NewToken, "kind">;

/** Which masters are wanted. */
export interface MasterQuery {
  readonly selector?: string | undefined;
  readonly status?: string | undefined;
}

/** Which services are wanted. */
export interface ServiceQuery extends MasterQuery {
  /** mid or name of a master that has a part of them. */
  readonly master?: string | undefined;
}

/** Which instances are wanted. */
export interface InstanceQuery extends ServiceQuery {
  /** From the page before. */
  readonly cursor?: string | undefined;
}

const drainedSchema = z.object({
  moved: z.array(z.string()).readonly(),
  left: z.array(z.object({ sid: z.string(), reason: z.string() })).readonly(),
});

/** What came of draining a master. */
export type Drained = z.infer<typeof drainedSchema>;

const importedSchema = z.object({
  created: z.number(),
  changed: z.number(),
  kept: z.number(),
  /** Masters that are known again; a hub of before has not said it. */
  masters: z.number().optional(),
});

/** What came of an import. */
export type Imported = z.infer<typeof importedSchema>;

const rebuiltSchema = z.object({
  made: z.array(z.object({ sid: z.string(), alias: z.string(), masters: z.array(z.string()) })),
  left: z.array(z.object({ sid: z.string(), reason: z.string() })),
  missing: z.array(z.string()),
});

/** What came of a rebuild; `missing` are masters that did not answer. */
export type Rebuilt = z.infer<typeof rebuiltSchema>;

/** An instance of any master; what an older master leaves out is filled in. */
export interface RemoteFleetInstance extends RemoteInstance {
  readonly mid: string;
  /** Name of its master. */
  readonly master: string;
  /** The service that it is a part of. */
  readonly sid: string | null;
}

/** A page of the instances of all masters. */
export interface RemoteFleetInstances {
  readonly instances: readonly RemoteFleetInstance[];
  /** For the next page; `null`: there is none. */
  readonly cursor: string | null;
  /** Masters that did not answer in time. */
  readonly missing: readonly string[];
}

// Not the model's: masters of one fleet have several versions.
const instancesSchema = z.object({
  instances: z.array(
    z.looseObject({ mid: z.string(), master: z.string(), sid: z.union([z.string(), z.null()]) }),
  ),
  cursor: z.union([z.string(), z.null()]),
  missing: z.array(z.string()),
});

/** What a stream of events tells. */
export interface FleetEventsOptions {
  /** Also the instances of all masters. @default false */
  readonly instances?: boolean | undefined;
}

/** The forms of an export: ours, signed; or the batch import file of NodePassDash. */
export type ExportFormat = "services" | "nodepassdash";

/**
 * A fleet, asked over its hub's HTTP API. Every method throws a `MasterClientError` that says what went
 * wrong; what a token may not see is not there for it.
 */
export interface FleetClient {
  readonly origin: string;
  info(): Promise<FleetInfo>;
  masters(query?: MasterQuery): Promise<FleetMaster[]>;
  /** @param revision of the master as it was read; another one is refused, status 412 */
  changeMaster(mid: string, change: FleetMasterChange, revision?: string): Promise<FleetMaster>;
  /** @param stop stops what it runs of the fleet; else that stays as its own */
  removeMaster(mid: string, stop?: boolean): Promise<void>;
  drainMaster(mid: string): Promise<Drained>;
  /** Makes a service of an instance that a master runs locally. */
  adopt(mid: string, instance: string): Promise<Service>;
  services(query?: ServiceQuery): Promise<Service[]>;
  service(sid: string): Promise<Service>;
  createService(service: GivenService): Promise<Service>;
  /** @param revision of the service as it was read; another one is refused, status 412 */
  changeService(sid: string, change: ServiceChange, revision?: string): Promise<Service>;
  /**
   * @param keep its instances go on, as their masters' own
   * @param revision of the service as it was read; another one is refused, status 412
   */
  removeService(sid: string, keep?: boolean, revision?: string): Promise<void>;
  moveService(sid: string, move: Partial<Move>): Promise<Service>;
  /** One page of the instances of all masters. */
  instances(query?: InstanceQuery): Promise<RemoteFleetInstances>;
  /** Newest first. */
  audit(query?: { readonly before?: number; readonly limit?: number }): Promise<AuditEntry[]>;
  tokens(): Promise<FleetToken[]>;
  /** The secret is in this answer and in no other. */
  createToken(token: GivenToken): Promise<CreatedToken>;
  removeToken(id: string): Promise<void>;
  /** Ends the hold on failovers after a mass loss. */
  resumeFailover(): Promise<void>;
  /** A file for {@link FleetClient.importServices}, keys included, or for NodePassDash. */
  exportServices(format?: ExportFormat): Promise<string>;
  importServices(exported: string): Promise<Imported>;
  /** Makes services anew of what masters say they run, after the store was lost without an export. */
  rebuildServices(dryRun?: boolean): Promise<Rebuilt>;
  /** Goes on with another token. */
  setKey(key: string): void;
  /** Opens the event stream; the caller closes it. {@link followFleetEvents} does, and comes back. */
  openEvents(signal: AbortSignal, options?: FleetEventsOptions): Promise<OpenAnswer>;
}

/**
 * Creates the client; nothing is sent yet.
 *
 * @example
 * const fleet = createFleetClient({ address: parseMasterAddress("hub.example.org:9443"), key: token });
 * const masters = await fleet.masters({ selector: "region=eu" });
 */
export function createFleetClient(options: ApiOptions): FleetClient {
  const api = new Api({ who: "hub", ...options });
  const { origin } = api;

  const read = async <Value>(
    schema: z.ZodType<Value>,
    what: string,
    sent: HttpRequest,
  ): Promise<Value> => {
    const { data, error } = schema.safeParse(await api.askJson(sent));
    if (error === undefined) return data;
    const [issue] = error.issues;
    const where = issue === undefined ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
    throw unreachable(origin, `it answers without ${what}${where}`);
  };
  const get = (path: string): HttpRequest => ({ method: "GET", path });
  const post = (path: string, body: unknown): HttpRequest => ({ method: "POST", path, body });

  return {
    origin,
    info: () => read(FleetInfoSchema, "a fleet", get("/fleet")),
    masters: (query = {}) =>
      read(z.array(FleetMasterSchema), "masters", get(`/fleet/masters${queryOf(query)}`)),
    changeMaster: (mid, body, revision) =>
      read(FleetMasterSchema, "a master", {
        method: "PATCH",
        path: masterPath(mid),
        body,
        headers: ifMatch(revision),
      }),
    removeMaster: async (mid, stop = false) => {
      await api.ask({ method: "DELETE", path: `${masterPath(mid)}${stop ? "?stop=true" : ""}` });
    },
    drainMaster: (mid) => read(drainedSchema, "a result", post(`${masterPath(mid)}/drain`, {})),
    adopt: (mid, instance) =>
      read(ServiceSchema, "a service", post(`${masterPath(mid)}/adopt`, { instance })),
    services: (query = {}) =>
      read(z.array(ServiceSchema), "services", get(`/fleet/services${queryOf(query)}`)),
    service: (sid) => read(ServiceSchema, "a service", get(servicePath(sid))),
    createService: (service) => read(ServiceSchema, "a service", post("/fleet/services", service)),
    changeService: (sid, body, revision) =>
      read(ServiceSchema, "a service", {
        method: "PATCH",
        path: servicePath(sid),
        body,
        headers: ifMatch(revision),
      }),
    removeService: async (sid, keep = false, revision) => {
      const path = `${servicePath(sid)}${keep ? "?keep=true" : ""}`;
      await api.ask({ method: "DELETE", path, headers: ifMatch(revision) });
    },
    moveService: (sid, move) =>
      read(ServiceSchema, "a service", post(`${servicePath(sid)}/move`, move)),
    instances: async (query = {}) => {
      const path = `/fleet/instances${queryOf(query)}`;
      const { instances, ...rest } = await read(instancesSchema, "instances", get(path));
      const all = instances.flatMap((each): RemoteFleetInstance[] => {
        const { mid, master, sid } = each;
        const instance = readInstance(each);
        return instance === undefined ? [] : [{ ...instance, mid, master, sid }];
      });
      return { ...rest, instances: all };
    },
    audit: (query = {}) =>
      read(z.array(AuditEntrySchema), "records", get(`/fleet/audit${queryOf(query)}`)),
    tokens: () => read(z.array(FleetTokenSchema), "tokens", get("/fleet/tokens")),
    createToken: (token) => read(CreatedTokenSchema, "a token", post("/fleet/tokens", token)),
    removeToken: async (id) => {
      await api.ask({ method: "DELETE", path: `/fleet/tokens/${encodeURIComponent(id)}` });
    },
    resumeFailover: async () => {
      await api.ask(post("/fleet/failover/resume", {}));
    },
    exportServices: async (format = "services") => {
      const query = format === "services" ? "" : `?format=${format}`;
      return (await api.ask(get(`/fleet/export${query}`))).text;
    },
    importServices: (exported) =>
      read(importedSchema, "a result", post("/fleet/import", { exported })),
    rebuildServices: (dryRun = false) =>
      read(rebuiltSchema, "a result", post("/fleet/rebuild", { dryRun })),
    setKey: (key) => api.setKey(key),
    openEvents: (signal, { instances = false } = {}) => {
      const query = instances ? { instances: "true" } : {};
      return options.eventTickets === true
        ? api.openWithTicket("/fleet/events", query, signal)
        : api.openStream({ path: `/fleet/events${queryOf(query)}`, signal });
    },
  };
}

const masterPath = (mid: string) => `/fleet/masters/${encodeURIComponent(mid)}`;
const servicePath = (sid: string) => `/fleet/services/${encodeURIComponent(sid)}`;

function ifMatch(revision: string | undefined): Readonly<Record<string, string>> {
  return revision === undefined ? {} : { "if-match": `"${revision}"` };
}

/** What is given, as a query. */
function queryOf(given: object): string {
  const entries = Object.entries(given)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => [name, String(value)]);
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries)}`;
}
