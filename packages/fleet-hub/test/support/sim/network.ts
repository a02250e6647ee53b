import type {
  Applied,
  Apply,
  Done,
  Heartbeat,
  Lease,
  LeaseRequest,
  Prepare,
  Prepared,
  Sync,
  Synced,
} from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { SimHub } from "./sim-hub.ts";
import type { SimMember } from "./sim-member.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Where delays come from; each call gives one, ms. */
export type Delays = () => number;

/** Messages between members and hubs: late, in any order, lost while someone is cut off. */
export class Network {
  readonly #time: VirtualTime;
  readonly #delay: Delays;
  readonly hubs: SimHub[] = [];
  readonly members = new Map<string, SimMember>();
  /** mids of members and ids of hubs that nothing reaches and that reach nothing. */
  readonly cut = new Set<string>();

  constructor(time: VirtualTime, delay: Delays) {
    this.#time = time;
    this.#delay = delay;
  }

  /** Cuts it off for a while; members sync when they are back. */
  cutOff(id: string, ms: number): void {
    this.cut.add(id);
    this.#time.after(ms, () => {
      this.cut.delete(id);
      this.members.get(id)?.sync();
    });
  }

  heartbeat(member: SimMember, heartbeat: Heartbeat): void {
    for (const hub of this.hubs) {
      void this.#toHub(member, hub).then((came) => {
        if (came) hub.presence.heartbeat(member.mid, heartbeat);
      });
    }
  }

  done(member: SimMember, done: Done): void {
    for (const hub of this.hubs) {
      void this.#toHub(member, hub).then((came) => {
        if (came) hub.done(member.mid, done);
      });
    }
  }

  /** All hubs hear it, one answers. */
  async sync(member: SimMember, sync: Sync): Promise<Synced | undefined> {
    const answers = this.hubs.map(async (hub) => {
      if (!(await this.#toHub(member, hub))) return undefined;
      hub.presence.synced(member.mid, sync);
      return { hub, answer: hub.answerSync(member.mid, sync) };
    });
    const all = (await Promise.all(answers)).filter((answer) => answer !== undefined);
    const chosen = all[all.length - 1];
    if (chosen === undefined || !(await this.#toMember(member, chosen.hub))) return undefined;
    return chosen.answer;
  }

  lease(member: SimMember, request: LeaseRequest, answered: (lease: Lease) => void): void {
    for (const hub of this.hubs) {
      void this.#toHub(member, hub).then(async (came) => {
        if (!came) return;
        const lease = hub.lease(member.mid, request);
        if (lease !== undefined && (await this.#toMember(member, hub))) answered(lease);
      });
    }
  }

  apply(hub: SimHub, mid: string, message: Apply): Promise<Applied> {
    return this.#ask(hub, mid, (member) => {
      const applied = member.apply(message.orders);
      // Reports that change are told to all hubs, too.
      this.done(member, applied);
      return applied;
    });
  }

  prepare(hub: SimHub, mid: string, { url }: Prepare): Promise<Prepared> {
    return this.#ask(hub, mid, (member) => member.prepare(url));
  }

  async #ask<Answer>(
    hub: SimHub,
    mid: string,
    work: (member: SimMember) => Answer,
  ): Promise<Answer> {
    const member = this.members.get(mid);
    const late = new ServiceError("UNAVAILABLE", `master ${mid} did not answer`);
    if (member === undefined) throw late;
    const session = hub.presence.facts(mid).session;
    let answer: Answer | undefined;
    const asked = (async () => {
      if (!(await this.#toMember(member, hub)) || member.session !== session) return false;
      answer = work(member);
      return this.#toHub(member, hub);
    })();
    const timeout = this.#time.wait(5000).then(() => false);
    if (!(await Promise.race([asked, timeout])) || answer === undefined) throw late;
    await hub.clock.ready();
    hub.presence.sealedWord(mid);
    return answer;
  }

  async #toHub(member: SimMember, hub: SimHub): Promise<boolean> {
    if (!member.isUp || this.cut.has(member.mid) || this.cut.has(hub.id)) return false;
    await this.#time.wait(this.#delay());
    if (this.cut.has(hub.id) || hub.clock.isDead) return false;
    await hub.clock.ready();
    return true;
  }

  async #toMember(member: SimMember, hub: SimHub): Promise<boolean> {
    if (this.cut.has(member.mid) || this.cut.has(hub.id)) return false;
    await this.#time.wait(this.#delay());
    if (this.cut.has(member.mid) || !member.isUp) return false;
    const { session } = member;
    await member.clock.ready();
    return member.isUp && member.session === session;
  }
}
