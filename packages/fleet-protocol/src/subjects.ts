/** What a fleet may be called: it is a part of subjects, buckets and host names. */
const FLEET_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** A master's id, as in `/info`. */
const MEMBER_ID = /^[0-9a-f]{16}$/;

/** Whether a text can be a fleet's name: 1 to 32 of lower-case letters, digits and inner hyphens. */
export function isFleetName(text: string): boolean {
  return FLEET_NAME.test(text);
}

/** Whether a text can be a member's id (mid): 16 hexadecimal digits. */
export function isMemberId(text: string): boolean {
  return MEMBER_ID.test(text);
}

/** The subjects of one member; section 5 of the fleet's design. It may use no others. */
export interface MemberSubjects {
  /** Member → hubs, not sealed. */
  readonly heartbeat: string;
  /** Member → any hub. */
  readonly sync: string;
  /** Member → leader. */
  readonly lease: string;
  /** Member → hubs: what became of parts. */
  readonly done: string;
  /** Hub → member: records to be applied. */
  readonly apply: string;
  /** Hub → member: could this run there? */
  readonly prepare: string;
  /** Hub → member: one HTTP request. */
  readonly api: string;
  /** Hub → member: credit for a stream, or its end. */
  readonly credit: string;
  /** Hub → member: events are wanted for a while. */
  readonly watch: string;
  /** Hub → member: another process with its identity has the seat. */
  readonly evict: string;
  /** Hub → member: it is to sync. */
  readonly resync: string;
  /** All that hubs tell it. */
  readonly inbound: string;
  /** Member → hub: a piece of a streamed answer. @param stream its id */
  stream(stream: string): string;
  /** Member → hubs: events of its instances. */
  readonly event: string;
}

/** @param fleet its name @param mid the member's id, or `*` for all of them */
export function memberSubjects(fleet: string, mid: string): MemberSubjects {
  const root = `np.${fleet}`;
  return {
    heartbeat: `${root}.hb.${mid}`,
    sync: `${root}.hub.${mid}.sync`,
    lease: `${root}.hub.${mid}.lease`,
    done: `${root}.hub.${mid}.done`,
    apply: `${root}.m.${mid}.apply`,
    prepare: `${root}.m.${mid}.prepare`,
    api: `${root}.m.${mid}.api`,
    credit: `${root}.m.${mid}.credit`,
    watch: `${root}.m.${mid}.watch`,
    evict: `${root}.m.${mid}.evict`,
    resync: `${root}.m.${mid}.resync`,
    inbound: `${root}.m.${mid}.>`,
    stream: (stream) => `${root}.res.${mid}.${stream}`,
    event: `${root}.ev.${mid}`,
  };
}

/** The subjects that hubs alone use among themselves, in the fleet's account. */
export function hubSubjects(fleet: string): {
  /** Hub → hubs: something that readers of events are told and no bucket holds (a failover, an alarm). */
  readonly notices: string;
} {
  return { notices: `np.${fleet}.hubs.notices` };
}

/** The member that speaks in a subject: the third or, below `hub`, the fourth of its parts. */
export function memberOf(subject: string): string | undefined {
  const mid = subject.split(".")[3];
  return mid !== undefined && isMemberId(mid) ? mid : undefined;
}

/** Names of the fleet's buckets and its stream; section 4. */
export function storeNames(fleet: string): {
  readonly services: string;
  readonly members: string;
  readonly auth: string;
  readonly control: string;
  readonly audit: string;
} {
  const name = fleet.replaceAll("-", "_");
  return {
    services: `np_${name}_svc`,
    members: `np_${name}_member`,
    auth: `np_${name}_auth`,
    control: `np_${name}_ctl`,
    audit: `NP_${name}_AUDIT`,
  };
}
