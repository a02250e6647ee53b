import { randomBytes } from "node:crypto";
import type { JoinRequest, SealedJoinAnswer, ServiceRecord } from "@nodepass/fleet-protocol";
import { type Clock, createFailureLimiter } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import { type FleetInfo, hasRole, isSelected, type Service } from "@nodepass/model/fleet";
import {
  type AuditedResult,
  type Auditor,
  type AuditSubject,
  HUB_ITSELF,
} from "../access/auditor.ts";
import { alarmText, demandRole } from "../access/scope.ts";
import { serviceError, stored, type Tokens } from "../access/tokens.ts";
import type { Caller, Fleet } from "../fleet.ts";
import type { LiveNews } from "../hubs/fleet-news.ts";
import type { LivePresence } from "../members/live-presence.ts";
import type { OrderPusher, ServiceOperations } from "../services/service-operations.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import {
  describeChange,
  describeMove,
  describeNewService,
  describeParts,
} from "./audit-details.ts";
import type { FleetEvents } from "./fleet-events.ts";
import {
  allInstances,
  type InstanceAsker,
  PAGE_WAIT_MS,
  pageOfInstances,
} from "./fleet-instances.ts";
import type { Masters } from "./masters.ts";
import { ownsService, seesService } from "./sees-service.ts";
import { serviceView } from "./service-view.ts";

/** How long an answer waits for what its owners say of the last revision, ms. */
const SETTLE_MS = 1000;

/**
 * Writes by masters' own keys: at once, and then one each so many ms; of one master, and of all. Such a key is the
 * master's to know, and each write is in the fleet's audit, which holds so much and then drops its oldest.
 */
const OWN_KEY_WRITES = {
  burst: 1000,
  refillMs: 200,
  totalBurst: 20_000,
  totalRefillMs: 10,
} as const;

/** What a fleet is made of, as its HTTP API sees it. */
export interface FacadeOptions {
  readonly store: FleetStore;
  readonly index: FleetIndex;
  readonly presence: LivePresence;
  readonly operations: ServiceOperations;
  readonly orders: Pick<OrderPusher, "settled">;
  readonly tokens: Tokens;
  readonly masters: Masters;
  readonly events: FleetEvents;
  readonly asker: InstanceAsker;
  readonly audit: Auditor;
  readonly join: (request: JoinRequest, from: string) => Promise<SealedJoinAnswer>;
  readonly news: Pick<LiveNews, "stuck">;
  readonly info: () => Omit<FleetInfo, "role">;
  /** The hub that leads is to go on with failovers. */
  readonly resume: (caller: Caller) => void;
  readonly clock: Clock;
}

/** Checks what callers may, writes the audit, and does it. */
export function createFleetFacade(options: FacadeOptions): Fleet {
  const { store, index, presence, operations, tokens, masters, events, asker, audit } = options;

  const ownKeyWrites = createFailureLimiter(options.clock, {
    ...OWN_KEY_WRITES,
    maxAddresses: 4096,
  });
  const seen = (caller: Caller, sid: string): Stored<ServiceRecord> => {
    const found = index.services.get(sid);
    if (found !== undefined && seesService(caller, found.value, index)) return found;
    throw new ServiceError("NOT_FOUND", `there is no service ${sid.slice(0, 64)}`);
  };
  /** One that they may change, with its state before. */
  const theirs = (caller: Caller, sid: string): Stored<ServiceRecord> => {
    demandRole(caller, "operator");
    const found = seen(caller, sid);
    if (ownsService(caller, found.value, index)) return found;
    const text = "another master that the token does not see has a part of this service";
    throw new ServiceError("FORBIDDEN", text);
  };
  const view = (caller: Caller, sid: string, found: Stored<ServiceRecord>): Service =>
    // It names masters that a token with a selector may not see.
    serviceView(
      sid,
      found,
      presence,
      hasRole(caller.role, "admin"),
      caller.selector.length === 0 ? options.news.stuck : undefined,
    );
  const newSid = () => randomBytes(8).toString("hex");
  const demandWhole = (caller: Caller) => {
    if (caller.selector.length === 0) return;
    throw new ServiceError("FORBIDDEN", "needs a token without a selector");
  };

  /** @param before the revision that it has */
  const changing = <Result>(
    caller: Caller,
    action: string,
    object: string,
    before: number | undefined,
    detail: string,
    change: () => Promise<Result>,
    after?: (result: Result) => number,
    told?: (result: Result) => AuditedResult,
  ) =>
    audit.changing(
      caller,
      { action, object, before, detail },
      async () => {
        try {
          return await change();
        } catch (error) {
          throw serviceError(error);
        }
      },
      after,
      told,
    );
  const nameOf = (mid: string) => index.members.get(mid)?.value.name || mid;
  const changingService = async (
    caller: Caller,
    action: string,
    sid: string,
    before: number | undefined,
    detail: string,
    change: () => Promise<Stored<ServiceRecord>>,
  ): Promise<Service> => {
    const told = ({ value }: Stored<ServiceRecord>) => ({ detail: describeParts(value, nameOf) });
    const now = await changing(caller, action, sid, before, detail, change, revisionOf, told);
    const shown = index.services.get(sid) ?? now;
    // An operation may end with a write of its own, which the owners have yet to hear of.
    await options.orders.settled(sid, shown.revision, SETTLE_MS);
    return view(caller, sid, index.services.get(sid) ?? shown);
  };

  return {
    info: (caller) => {
      const info = options.info();
      const alarms = info.alarms.map(({ alarm, message }) => ({
        alarm,
        message: alarmText(caller, message),
      }));
      if (caller.selector.length === 0) return { ...info, alarms, role: caller.role };
      const own = [...index.services.values()].filter(({ value }) =>
        seesService(caller, value, index),
      );
      const counts = { masters: masters.masters(caller).length, services: own.length };
      return { ...info, ...counts, alarms, role: caller.role };
    },
    masters: masters.masters,
    master: masters.master,
    changeMaster: masters.changeMaster,
    removeMaster: masters.removeMaster,
    drainMaster: async (caller, midOrName) => {
      demandRole(caller, "operator");
      const { mid } = masters.demand(caller, midOrName);
      await masters.changeMaster(caller, mid, { draining: true });
      return changing(caller, "master.drain", mid, undefined, "", () =>
        operations.drain(caller, mid),
      );
    },

    services: (caller) =>
      [...index.services]
        .filter(([, { value }]) => seesService(caller, value, index))
        .map(([sid, found]) => view(caller, sid, found)),
    service: (caller, sid) => view(caller, sid, seen(caller, sid)),
    createService: async (caller, service) => {
      demandRole(caller, "operator");
      const sid = newSid();
      const detail = describeNewService(service);
      return changingService(caller, "service.create", sid, undefined, detail, () =>
        operations.create(caller, sid, service),
      );
    },
    changeService: async (caller, sid, change, revision) => {
      const before = theirs(caller, sid);
      const detail = describeChange(before.value, change);
      return changingService(caller, "service.change", sid, before.revision, detail, () =>
        operations.change(caller, sid, change, readRevision(revision)),
      );
    },
    removeService: async (caller, sid, revision, keep = false) => {
      const before = theirs(caller, sid);
      const kept = keep ? "; its instances stay as local ones" : "";
      const detail = `${before.value.alias}: ${describeParts(before.value, nameOf)}${kept}`;
      await changing(caller, "service.remove", sid, before.revision, detail, () =>
        operations.remove(caller, sid, readRevision(revision), keep),
      );
    },
    moveService: async (caller, sid, move) => {
      const before = theirs(caller, sid);
      const detail = describeMove(before.value, move, nameOf);
      return changingService(caller, "service.move", sid, before.revision, detail, () =>
        operations.move(caller, sid, move),
      );
    },
    adopt: async (caller, midOrName, instance) => {
      demandRole(caller, "operator");
      const { mid } = masters.demand(caller, midOrName);
      const sid = newSid();
      const detail = `instance ${instance} of ${nameOf(mid)}`;
      return changingService(caller, "service.adopt", sid, undefined, detail, () =>
        operations.adopt(caller, sid, mid, instance),
      );
    },

    instances: async (caller, query) => {
      const asked =
        query.master === undefined ? undefined : masters.demand(caller, query.master).mid;
      const members = masters
        .masters(caller)
        .filter(({ mid, labels }) =>
          asked === undefined ? isSelected(labels, query.selector) : mid === asked,
        );
      return pageOfInstances(asker, members, query, caller, PAGE_WAIT_MS);
    },
    subscribe: events.subscribe,
    audit: async (caller, query) => {
      demandRole(caller, "admin");
      demandWhole(caller);
      return stored(store.readAudit(query));
    },

    tokens: tokens.list,
    createToken: tokens.create,
    removeToken: tokens.remove,
    verifyToken: tokens.verify,
    join: options.join,
    resumeFailover: async (caller) => {
      demandRole(caller, "operator");
      demandWhole(caller);
      await changing(caller, "failover.resume", "", undefined, "", async () =>
        options.resume(caller),
      );
    },
    exportServices: async (caller) => {
      demandRole(caller, "admin");
      demandWhole(caller);
      await audit.note(caller, note("export", ""), "done");
      return operations.export();
    },
    importServices: async (caller, exported) => {
      demandRole(caller, "admin");
      demandWhole(caller);
      return changing(caller, "import", "", undefined, "", () =>
        operations.import(caller, exported),
      );
    },
    rebuildServices: async (caller, dryRun) => {
      demandRole(caller, "admin");
      demandWhole(caller);
      const members = [...index.members]
        .filter(([, { value }]) => !value.evicted)
        .map(([mid, { value }]) => ({ mid, name: value.name }));
      const { instances, missing } = await allInstances(asker, members, caller);
      const rebuilt = () => operations.rebuild(caller, instances, dryRun);
      const done = dryRun
        ? await rebuilt()
        : await changing(caller, "rebuild", "", undefined, "", rebuilt);
      return { ...done, missing };
    },
    managedPart: operations.managedPart,
    auditPassed: async (caller, mid, what, from, pass) => {
      if (caller === undefined && ownKeyWrites.fail(mid) > 0) {
        const text = `too much was changed with the own key of master ${mid}; a token of the fleet may go on`;
        throw new ServiceError("LIMIT_REACHED", text);
      }
      const who: AuditSubject = caller ?? { ...HUB_ITSELF, token: "key", role: "key", from };
      const action = { ...note("api", mid), detail: what };
      return audit.changing(who, action, pass, undefined, ({ status }) => ({
        outcome: status < 400 ? "done" : status < 500 ? "refused" : "failed",
        detail: String(status),
      }));
    },
  };
}

const note = (action: string, object: string) => ({
  action,
  object,
  before: undefined,
  detail: "",
});

const revisionOf = ({ revision }: Stored<ServiceRecord>) => revision;

/** @throws {ServiceError} `PRECONDITION`: a revision that is no number is none that a service ever had */
function readRevision(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ServiceError("PRECONDITION", "the service has another revision");
}
