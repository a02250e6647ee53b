import type { Heartbeat, PartReport } from "@nodepass/fleet-protocol";
import type { MasterStatus, MemberPermission } from "@nodepass/model/fleet";

/** What is known of a member at this hub, none of it in the store. */
export interface MemberFacts {
  readonly status: MasterStatus;
  /** Monotonic, ms (`performance.now()`); `undefined` while nothing was heard. */
  readonly heardAt: number | undefined;
  /** ms since 1970, for people. */
  readonly heardAtWall: number | undefined;
  readonly session: string | undefined;
  readonly heartbeat: Heartbeat | undefined;
  readonly version: string;
  readonly allow: readonly MemberPermission[];
  readonly duplicate: boolean;
}

/** Who is there, and what became of their parts. */
export interface Presence {
  facts(mid: string): MemberFacts;
  /** What its owner said last of a part. */
  report(sid: string, part: number): (PartReport & { readonly mid: string }) | undefined;
  /** A member's status has changed. @returns ends it */
  onStatus(listener: (mid: string, facts: MemberFacts) => void): () => void;
  /** A part's report has changed. @returns ends it */
  onReport(listener: (mid: string, report: PartReport) => void): () => void;
  /** A member has synced: what it runs is known whole. @returns ends it */
  onSync(listener: (mid: string) => void): () => void;
}
