import type { MemberFacts } from "../../src/members/presence.ts";

/** A member that is there and has synced; when it was heard, a test says. */
export const SYNCED: MemberFacts = {
  status: "online",
  heardAt: undefined,
  sealedAt: undefined,
  heardAtWall: undefined,
  session: "boot",
  heartbeat: undefined,
  version: "",
  prefix: "",
  allow: [],
  duplicate: false,
  synced: true,
};
