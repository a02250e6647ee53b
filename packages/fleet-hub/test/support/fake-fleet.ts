import { ServiceError } from "@nodepass/model";
import {
  type AuditEntry,
  type CreatedToken,
  type FleetEvent,
  type FleetInfo,
  type FleetInstances,
  type FleetMaster,
  type FleetMasterChange,
  type FleetRole,
  type FleetToken,
  isSelected,
  type Move,
  type NewService,
  type NewToken,
  parseSelector,
  type Service,
  type ServiceChange,
} from "@nodepass/model/fleet";
import type { Caller, Fleet } from "../../src/index.ts";

const TIME = "2026-11-26T07:00:00.000Z";

/** A fleet in memory: what HTTP needs of one, with what was done to it. */
export class FakeFleet implements Fleet {
  readonly all = new Map<string, FleetMaster>();
  readonly allServices = new Map<string, Service>();
  readonly secrets = new Map<string, { role: FleetRole; selector: string }>();
  readonly managed = new Map<string, { sid: string; part: number }>();
  readonly passed: { caller: Caller | undefined; mid: string; what: string; from: string }[] = [];
  /** Who made the `calls`. */
  readonly callers: (Caller | undefined)[] = [];
  readonly calls: { name: string; arguments: readonly unknown[] }[] = [];
  readonly listeners = new Map<(event: FleetEvent) => void, Caller>();
  auditWorks = true;

  /** @returns the secret */
  token(role: FleetRole, selector = ""): string {
    const secret = `npf_${role}${this.secrets.size}`.padEnd(40, "x");
    this.secrets.set(secret, { role, selector });
    return secret;
  }

  addMaster(mid: string, change: Partial<FleetMaster> = {}): FleetMaster {
    const master: FleetMaster = {
      mid,
      name: `name-${mid.slice(-2)}`,
      labels: {},
      revision: "4",
      address: "192.0.2.7",
      status: "online",
      lastSeen: TIME,
      joined: TIME,
      version: "1.2.3",
      allow: ["apply", "api", "read"],
      draining: false,
      duplicate: false,
      instances: { running: 1, stopped: 2, error: 3 },
      parts: 1,
      drift: 0,
      traffic: { tcprx: 10, tcptx: 20, udprx: 30, udptx: 40 },
      cpu: 12.5,
      memory: 1_000_000,
      ...change,
    };
    this.all.set(mid, master);
    return master;
  }

  addService(sid: string, change: Partial<Service> = {}): Service {
    const service: Service = {
      sid,
      alias: "web",
      tags: {},
      policy: { failover: "off", ttl: 15, failback: "never" },
      revision: "7",
      by: "t1",
      changed: TIME,
      parts: [
        {
          role: "server",
          owner: "00000000000000a1",
          epoch: 1,
          running: true,
          url: "server://key@0.0.0.0:1/127.0.0.1:2",
          selector: "",
          state: "applied",
          reason: "",
          instance: "aaaaaaaa",
        },
      ],
      ...change,
    };
    this.allServices.set(sid, service);
    return service;
  }

  emit(event: FleetEvent): void {
    for (const listener of this.listeners.keys()) listener(event);
  }

  info(caller: Caller): FleetInfo {
    this.#note("info", caller);
    return {
      fleet: "home",
      hub: "hub1",
      leader: "hub1",
      engine: { connected: true, version: "2.15.2", servers: 1 },
      version: "1.2.3",
      masters: this.all.size,
      services: this.allServices.size,
      alarms: [],
      role: caller.role,
      gateway: "gw.example",
    };
  }

  masters(caller: Caller): readonly FleetMaster[] {
    return [...this.all.values()].filter(({ labels }) => isSelected(labels, caller.selector));
  }

  master(caller: Caller, mid: string): FleetMaster {
    const master = this.masters(caller).find((one) => one.mid === mid || one.name === mid);
    if (master === undefined) throw new ServiceError("NOT_FOUND", "there is no such master");
    return master;
  }

  async changeMaster(
    caller: Caller,
    mid: string,
    change: FleetMasterChange,
    revision: string | undefined,
  ) {
    this.#needs(caller, "admin", "changeMaster", mid, change);
    const { revision: before } = this.master(caller, mid);
    if (revision !== undefined && revision !== before) {
      throw new ServiceError("PRECONDITION", `the master is at revision ${before}`);
    }
    const { name, labels, address, draining } = change;
    const changed: FleetMaster = {
      ...this.master(caller, mid),
      revision: String(Number(before) + 1),
      ...(name !== undefined && { name }),
      ...(labels !== undefined && { labels }),
      ...(address !== undefined && { address }),
      ...(draining !== undefined && { draining }),
    };
    this.all.set(changed.mid, changed);
    return changed;
  }

  async removeMaster(caller: Caller, mid: string, options: { stop: boolean }) {
    this.#needs(caller, "admin", "removeMaster", mid, options);
    this.all.delete(this.master(caller, mid).mid);
  }

  async drainMaster(caller: Caller, mid: string) {
    this.#needs(caller, "operator", "drainMaster", mid);
    this.master(caller, mid);
    return { moved: ["s1"], left: [{ sid: "s2", reason: "no other master" }] };
  }

  services(caller: Caller): readonly Service[] {
    this.#note("services", caller);
    return [...this.allServices.values()];
  }

  service(_caller: Caller, sid: string): Service {
    const service = this.allServices.get(sid);
    if (service === undefined) throw new ServiceError("NOT_FOUND", "there is no such service");
    return service;
  }

  async createService(caller: Caller, service: NewService): Promise<Service> {
    this.#needs(caller, "operator", "createService", service);
    return this.addService("s-new", { alias: service.alias, tags: service.tags, revision: "1" });
  }

  async changeService(
    caller: Caller,
    sid: string,
    change: ServiceChange,
    revision: string | undefined,
  ): Promise<Service> {
    this.#needs(caller, "operator", "changeService", sid, change, revision);
    const before = this.service(caller, sid);
    if (revision !== undefined && revision !== before.revision) {
      throw new ServiceError("PRECONDITION", `the service is at revision ${before.revision}`);
    }
    return this.addService(sid, {
      ...before,
      revision: String(Number(before.revision) + 1),
      parts: before.parts.map((part) => {
        const wanted = change.parts?.find(({ role }) => role === part.role);
        return { ...part, url: wanted?.url ?? part.url, running: wanted?.running ?? part.running };
      }),
    });
  }

  async removeService(caller: Caller, sid: string, revision: string | undefined, keep: boolean) {
    this.#needs(caller, "operator", "removeService", sid, revision, keep);
    const { revision: now } = this.service(caller, sid);
    if (revision !== undefined && revision !== now) {
      throw new ServiceError("PRECONDITION", `the service is at revision ${now}`);
    }
    this.allServices.delete(sid);
  }

  async moveService(caller: Caller, sid: string, move: Move): Promise<Service> {
    this.#needs(caller, "operator", "moveService", sid, move);
    return this.service(caller, sid);
  }

  async adopt(caller: Caller, mid: string, instance: string): Promise<Service> {
    this.#needs(caller, "operator", "adopt", mid, instance);
    this.master(caller, mid);
    return this.addService("s-adopted");
  }

  async instances(...given: Parameters<Fleet["instances"]>): Promise<FleetInstances> {
    this.#note("instances", ...given);
    return { instances: [], cursor: null, missing: ["00000000000000a2"] };
  }

  subscribe(
    caller: Caller,
    _options: { instances: boolean },
    listener: (event: FleetEvent) => void,
  ): () => void {
    this.listeners.set(listener, caller);
    for (const master of this.masters(caller)) {
      listener({ type: "initial", time: TIME, master, message: "" });
    }
    for (const service of this.allServices.values()) {
      listener({ type: "initialService", time: TIME, service, message: "" });
    }
    return () => this.listeners.delete(listener);
  }

  async audit(...given: Parameters<Fleet["audit"]>): Promise<readonly AuditEntry[]> {
    this.#needs(given[0], "admin", "audit", given[1]);
    return [
      {
        sequence: 3,
        time: TIME,
        token: "t1",
        role: "admin",
        from: "192.0.2.1",
        action: "service.create",
        object: "s1",
        before: null,
        after: "7",
        outcome: "done",
        detail: "",
      },
    ];
  }

  tokens(caller: Caller): readonly FleetToken[] {
    this.#needs(caller, "admin", "tokens");
    return [];
  }

  async createToken(caller: Caller, token: NewToken): Promise<CreatedToken> {
    this.#needs(caller, "admin", "createToken", token);
    return {
      id: "t9",
      kind: token.kind,
      role: token.role,
      selector: token.selector,
      labels: token.labels,
      uses: token.uses ?? null,
      expires: null,
      note: token.note,
      created: TIME,
      token: "npf_secret",
    };
  }

  async removeToken(caller: Caller, id: string) {
    this.#needs(caller, "admin", "removeToken", id);
    if (id !== "t9") throw new ServiceError("NOT_FOUND", "there is no such token");
  }

  verifyToken(secret: string, from: string): Caller | undefined {
    const found = this.secrets.get(secret);
    if (found === undefined) return undefined;
    const { role } = found;
    return { token: `t-${role}`, role, selector: parseSelector(found.selector), from };
  }

  async join(...given: Parameters<Fleet["join"]>) {
    this.#note("join", ...given);
    return { hubKey: "A".repeat(43), sealed: "AAAA" };
  }

  async resumeFailover(caller: Caller) {
    this.#needs(caller, "operator", "resumeFailover");
  }

  async exportServices(caller: Caller) {
    this.#needs(caller, "admin", "exportServices");
    return '{"services":[]}';
  }

  async importServices(caller: Caller, exported: string) {
    this.#needs(caller, "admin", "importServices", exported);
    return { created: 1, changed: 2, kept: 3, masters: 0 };
  }

  async rebuildServices(caller: Caller, dryRun: boolean) {
    this.#needs(caller, "admin", "rebuildServices", dryRun);
    const made = [{ sid: "s1", alias: "web", masters: ["00000000000000a1"] }];
    return { made, left: [{ sid: "s9", reason: "its first half is away" }], missing: [] };
  }

  managedPart(mid: string, instance: string) {
    return this.managed.get(`${mid}/${instance}`);
  }

  auditPassed: Fleet["auditPassed"] = async (caller, mid, what, from, pass) => {
    if (!this.auditWorks) throw new ServiceError("UNAVAILABLE", "the change can't be recorded");
    this.passed.push({ caller, mid, what, from });
    return pass();
  };

  #note(name: string, ...given: readonly unknown[]): void {
    this.calls.push({ name, arguments: given });
  }

  #needs(caller: Caller, role: FleetRole, name: string, ...given: readonly unknown[]): void {
    const order = ["viewer", "operator", "admin"];
    if (order.indexOf(caller.role) < order.indexOf(role)) {
      throw new ServiceError("FORBIDDEN", `this takes the role ${role}`);
    }
    this.callers.push(caller);
    this.#note(name, ...given);
  }
}
