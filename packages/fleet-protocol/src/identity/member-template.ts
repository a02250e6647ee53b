import type { User } from "./nats-jwt.ts";

/** Where a member's client must have its answers sent: `inboxPrefix` of its connection. */
export function memberInbox(mid: string): string {
  return `_INBOX_${mid}`;
}

/** How long a member may answer a request of a hub: a request has 30 s, the rest is for a slow road. */
const ANSWER_WITHIN_MS = 120_000;
/**
 * One message of a member at most: what it says of 500 parts, each with the longest reason why it failed. Bodies
 * of answers are sent in pieces of 64 KiB; of requests, which are longer, it gets and sends none.
 */
export const MAX_MEMBER_PAYLOAD_BYTES = 768 * 1024;
/** It needs two: what hubs tell it, and its inbox. Each of them has a copy of all that it is told. */
const MAX_MEMBER_SUBSCRIPTIONS = 8;

/**
 * What the members' signing key lets its users do; the server puts a member's mid in the place of
 * `{{name()}}` (docs/fleet.md, "Security"). No member can widen it: a user of a scoped key has no
 * permissions of its own.
 */
export function memberTemplate(fleet: string): Partial<User> {
  const name = "{{name()}}";
  const root = `np.${fleet}`;
  return {
    pub: {
      allow: [
        `${root}.hb.${name}`,
        `${root}.hub.${name}.>`,
        `${root}.res.${name}.>`,
        `${root}.ev.${name}`,
      ],
      deny: [],
    },
    sub: { allow: [`${root}.m.${name}.>`, `${memberInbox(name)}.>`], deny: [] },
    resp: { max: 1, ttl: ANSWER_WITHIN_MS * 1_000_000 },
    data: -1,
    payload: MAX_MEMBER_PAYLOAD_BYTES,
    subs: MAX_MEMBER_SUBSCRIPTIONS,
    bearer_token: false,
    allowed_connection_types: ["STANDARD", "WEBSOCKET"],
  };
}
