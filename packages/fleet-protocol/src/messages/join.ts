import { z } from "zod";

/** Public X25519 keys of a fleet: its own, then others that its hubs open boxes by. */
export const HubKeysSchema = z
  .array(z.custom<Uint8Array>((key) => key instanceof Uint8Array && key.byteLength === 32))
  .min(1)
  .max(16);

/**
 * Nonces of runs of hubs, the newest first: a message that names the run of who reads it was made for it,
 * and was not kept by somebody since before it began.
 */
export const HubRunsSchema = z.array(z.string().max(64)).max(16);

/** 32 bytes in base64url. */
const key = z.string().regex(/^[\w-]{43}$/);

/**
 * Body of `POST <prefix>/v1/fleet/join`, JSON: the public halves that a master comes with. With a token
 * it joins; without one it renews its JWT, which its record's NKey must have signed for.
 */
export const JoinRequestSchema = z.object({
  v: z.literal(1),
  token: z.object({ id: z.string().max(64), secret: z.string().max(256) }).optional(),
  mid: z.string().regex(/^[0-9a-f]{16}$/),
  name: z.string().max(256),
  /** Public NKey of a user (`U…`). */
  nkey: z.string().regex(/^U[A-Z2-7]{55}$/),
  /** Public X25519 key, base64url. */
  box: key,
  /**
   * Fingerprint of the fleet's key that the member knows: which one the answer is to be sealed by, while
   * the fleet has several. Not signed: the answer shows its key.
   */
  fp: z.string().max(64).optional(),
  /** When it was signed, s since 1970 by the member's clock. */
  at: z.int().min(0),
  /** 8 random bytes in hexadecimal: what the answer is bound to. */
  nonce: z.string().regex(/^[0-9a-f]{16}$/),
  /** Of the NKey over all of this but `token.secret`: 64 bytes in base64url; see `signJoin`. */
  sig: z.string().regex(/^[\w-]{86}$/),
});
export type JoinRequest = z.infer<typeof JoinRequestSchema>;

/** What a member needs to speak to the engine; a renewal gets the next JWT before this one ends. */
export const JoinAnswerSchema = z.object({
  fleet: z.string(),
  mid: z.string(),
  jwt: z.string(),
  /** The JWT's end, s since 1970. */
  expires: z.number(),
  /** URLs of the engine, tried in turn: `tls://`, `nats://` or `wss://`, `ws://`. */
  servers: z.array(z.string()).min(1).max(32),
  /** CA certificate(s) of the engine in PEM; empty: the system's. */
  ca: z.string(),
  /** URLs of the hubs' API with prefix, where the JWT may be renewed; empty: the token's. */
  hubs: z.array(z.string()).max(32).default([]),
  /** The fleet's keys; what seals this vouches for them. */
  hubKeys: HubKeysSchema.optional(),
  /** Runs of hubs that are there. */
  runs: HubRunsSchema.optional(),
});
export type JoinAnswer = z.infer<typeof JoinAnswerSchema>;

/**
 * What goes back over HTTP: the fleet's key, whose fingerprint the token has, and the answer boxed with
 * it for the member's key. So whoever stands between two of them can neither read nor make one.
 */
export const SealedJoinAnswerSchema = z.object({
  /** The fleet's public X25519 key, base64url. */
  hubKey: key,
  /** A `JoinAnswer`, MessagePack, in a box, base64url; see `sealJoinAnswer`. */
  sealed: z.string().max(65_536),
});
export type SealedJoinAnswer = z.infer<typeof SealedJoinAnswerSchema>;
