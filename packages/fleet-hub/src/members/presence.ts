import type { Heartbeat, PartReport } from "@nodepass/fleet-protocol";
import type { MasterStatus, MemberPermission } from "@nodepass/model/fleet";

/** What is known of a member at this hub, none of it in the store. */
export interface MemberFacts {
  readonly status: MasterStatus;
  /** Its last heartbeat or sealed word: monotonic, ms; `undefined` while nothing was heard. */
  readonly heardAt: number | undefined;
  /**
   * Its last *sealed* word (sync, lease, done, an answer): only that counts as life for failover, as
   * heartbeats can be forged by who runs the engine. Monotonic, ms.
   */
  readonly sealedAt: number | undefined;
  /** ms since 1970, for people. */
  readonly heardAtWall: number | undefined;
  /** Boot nonce of the process that has the seat: who synced last. */
  readonly session: string | undefined;
  readonly heartbeat: Heartbeat | undefined;
  readonly version: string;
  readonly allow: readonly MemberPermission[];
  readonly duplicate: boolean;
  /** What its API's paths begin with, before `/v1`. */
  readonly prefix: string;
  /** Whether it has synced with a hub that this one heard of: its reports are whole. */
  readonly synced: boolean;
}

/** Who is there, and what became of their parts. */
export interface Presence {
  facts(mid: string): MemberFacts;
  /** What its owner said last of a part. */
  report(sid: string, part: number): (PartReport & { readonly mid: string }) | undefined;
  /** What a certain member said last of a part, whoever owns it now. */
  reportOf(mid: string, sid: string, part: number): PartReport | undefined;
  /** All that a member said last of its parts. */
  reportsOf(mid: string): readonly PartReport[];
  /** A member's status has changed. @returns ends it */
  onStatus(listener: (mid: string, facts: MemberFacts) => void): () => void;
  /** A part's report has changed. @returns ends it */
  onReport(listener: (mid: string, report: PartReport) => void): () => void;
  /** A member has synced: what it runs is known whole. @returns ends it */
  onSync(listener: (mid: string) => void): () => void;
}
