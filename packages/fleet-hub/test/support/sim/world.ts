import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import { NewServiceSchema } from "@nodepass/model/fleet";
import type { Caller } from "../../../src/fleet.ts";
import { keyOf as tunnelKeyOf } from "../../../src/services/part-url.ts";
import { MemoryStore } from "./memory-store.ts";
import { type Delays, Network } from "./network.ts";
import { SharedNews, SimHub } from "./sim-hub.ts";
import { SimMember, type SimMemberOptions } from "./sim-member.ts";
import { VirtualTime } from "./virtual-time.ts";

/** How a world behaves; all delays are one way, ms. */
export interface WorldOptions {
  readonly hubs?: number | undefined;
  readonly members?: number | undefined;
  readonly netDelay?: Delays | undefined;
  readonly storeDelay?: Delays | undefined;
  readonly watchLag?: Delays | undefined;
  readonly canRun?: ((mid: string) => SimMemberOptions["canRun"]) | undefined;
  readonly labels?: ((index: number) => Record<string, string>) | undefined;
  readonly address?: ((index: number) => string) | undefined;
  readonly logger?: Logger | undefined;
}

/** An admin who sees everything. */
export const ADMIN: Caller = { token: "admin", role: "admin", selector: [], from: "127.0.0.1" };

/** The mid of the n-th member. */
export function midOf(index: number): string {
  return (index + 1).toString(16).padStart(16, "0");
}

/** Hubs, members and a store in virtual time, with what must hold at every moment. */
export class World {
  readonly time = new VirtualTime();
  readonly store = new MemoryStore();
  readonly network: Network;
  readonly news = new SharedNews();
  readonly members: SimMember[] = [];
  readonly hubs: SimHub[] = [];
  /** What did not hold; a test expects none. */
  readonly broken: string[] = [];
  readonly #options: WorldOptions;
  readonly #epochs = new Map<string, { epoch: number; owner: string | null }>();
  /**
   * Strict parts, and who had each when it became so. A master that lost one while it was `serve`, and was
   * not heard of since, is not bound by a promise that was made later.
   */
  readonly #strict = new Map<string, string | null>();
  #hubs = 0;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.network = new Network(this.time, options.netDelay ?? (() => 2));
    this.time.onMoment = (now) => this.#check(now);
    this.store.services.onWrite = (sid, record) => this.#checkRecord(sid, record);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    const silent = { cross: () => Promise.resolve(), lag: () => 0, after: () => undefined };
    const members = world.store.members.seenBy(silent);
    for (let at = 0; at < (options.members ?? 4); at += 1) {
      const member = new SimMember({
        mid: midOf(at),
        name: `m${at}`,
        time: world.time,
        network: world.network,
        offset: 1_000_000 * (at + 1),
        canRun: options.canRun?.(midOf(at)),
      });
      world.members.push(member);
      world.network.members.set(member.mid, member);
      await members.create(member.mid, world.#recordOf(at));
    }
    for (let at = 0; at < (options.hubs ?? 1); at += 1) await world.addHub();
    for (const member of world.members) member.start();
    await world.time.pass(10_000);
    return world;
  }

  async addHub(): Promise<SimHub> {
    const at = this.#hubs;
    this.#hubs += 1;
    const hub = await SimHub.start({
      id: `hub${at}`,
      time: this.time,
      network: this.network,
      store: this.store,
      news: this.news,
      offset: 77_000_000 * (at + 1),
      storeDelay: this.#options.storeDelay ?? (() => 1),
      watchLag: this.#options.watchLag ?? (() => 1),
      logger: this.#options.logger,
    });
    this.hubs.push(hub);
    for (const member of this.members) if (member.isUp) member.sync();
    return hub;
  }

  get leader(): SimHub {
    const leading = this.hubs.find(({ election, clock }) => election.isLeading() && !clock.isDead);
    if (leading === undefined) throw new Error("no hub leads");
    return leading;
  }

  hub(at = 0): SimHub {
    const hub = this.hubs[at];
    if (hub === undefined) throw new Error(`no hub ${at}`);
    return hub;
  }

  member(at: number): SimMember {
    const member = this.members[at];
    if (member === undefined) throw new Error(`no member ${at}`);
    return member;
  }

  byMid(mid: string | null | undefined): SimMember {
    const member = this.members.find((one) => one.mid === mid);
    if (member === undefined) throw new Error(`no member ${mid}`);
    return member;
  }

  record(sid: string): ServiceRecord | undefined {
    return this.store.services.peek(sid)?.value;
  }

  /** Makes a service at a hub and waits for the answer. */
  async create(sid: string, service: unknown, hub = this.hub()) {
    const parsed = NewServiceSchema.parse(service);
    return this.time.until(hub.operations.create(ADMIN, sid, parsed));
  }

  /** Who serves a part's users now. */
  serving(sid: string, part = 0): string[] {
    return this.members.filter((member) => member.serves(sid, part)).map(({ name }) => name);
  }

  close(): void {
    for (const hub of this.hubs) hub.close();
    for (const member of this.members) member.kill();
  }

  #recordOf(at: number): MemberRecord {
    return {
      v: 1,
      name: `m${at}`,
      labels: this.#options.labels?.(at) ?? {},
      address: this.#options.address?.(at) ?? `10.0.0.${at + 1}`,
      nkey: `U${at}`,
      box: new Uint8Array(32),
      draining: false,
      joined: 0,
      evicted: false,
    };
  }

  /** Never two owners that serve users of a strict part. */
  #check(now: number): void {
    for (const [key, owner] of this.#strict) {
      const [sid = "", part] = key.split("/");
      const serving = this.members
        .filter((member) => member.serves(sid, Number(part)))
        .filter(
          (member) => member.mid === owner || member.order(sid, Number(part))?.strict === true,
        )
        .map(({ name }) => name);
      if (serving.length > 1) {
        this.broken.push(`at ${now} ms ${serving.join(" and ")} both serve ${key}`);
      }
    }
  }

  /** Epochs count up with each owner and key; both halves of a pair have one key. */
  #checkRecord(sid: string, record: ServiceRecord | undefined): void {
    if (record === undefined) return;
    for (const [at, part] of record.parts.entries()) {
      const key = `${sid}/${at}`;
      const { epoch, owner } = part;
      if (record.policy.failover !== "strict") this.#strict.delete(key);
      else if (!this.#strict.has(key)) this.#strict.set(key, owner);
      const before = this.#epochs.get(key);
      if (before !== undefined && epoch < before.epoch) {
        this.broken.push(`epoch of ${key} went from ${before.epoch} to ${epoch}`);
      }
      const isNew = owner !== null && before?.owner !== undefined && before.owner !== owner;
      if (before !== undefined && isNew && epoch <= before.epoch) {
        this.broken.push(`${key} has another owner at the same epoch ${epoch}`);
      }
      this.#epochs.set(key, { epoch, owner: owner ?? before?.owner ?? null });
    }
    const keys = new Set(record.parts.map(({ url }) => tunnelKeyOf(url)));
    if (record.parts.length === 2 && keys.size !== 1) {
      this.broken.push(`the halves of ${sid} have different keys`);
    }
  }
}
