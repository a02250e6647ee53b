import { FleetSetupError } from "../setup-error.ts";
import { isMemberId } from "../subjects.ts";
import type { FleetSecrets } from "./fleet-secrets.ts";
import { createNKey, signScopedUser, signUser } from "./nats-jwt.ts";

/** How long a member's JWT is good; it is renewed at two thirds of that. */
export const MEMBER_JWT_MS = 30 * 86_400_000;

const USER_KEY = /^U[A-Z2-7]{55}$/;

/** What a connection to the engine proves itself by: for `jwtAuthenticator(jwt, seed)`. */
export interface EngineCredentials {
  jwt: string;
  /** `SU…` */
  seed: string;
}

/** Whom a member's JWT is for. */
export interface MemberJwtOptions {
  /** 16 hexadecimal digits: the name that its subjects are made of. */
  mid: string;
  /** `U…`, from {@link createUserKey} at the member. */
  userPublicKey: string;
  /** ms since 1970. @default 30 days from now */
  expiresAt?: number | undefined;
}

/** A new NKey of a member: the seed stays with it, the public half goes to the hub. */
export function createUserKey(): { publicKey: string; seed: string } {
  return createNKey("user");
}

/**
 * The JWT of a member. What it may do is not in it but in the template of the key that signs it.
 * When it expires, the server closes its connection, also an open one.
 *
 * @throws {FleetSetupError} `INVALID_OPTIONS` naming what is wrong
 */
export function issueMemberJwt(secrets: FleetSecrets, options: MemberJwtOptions): Promise<string> {
  const { mid, userPublicKey, expiresAt = Date.now() + MEMBER_JWT_MS } = options;
  if (!isMemberId(mid)) {
    throw new FleetSetupError("INVALID_OPTIONS", `a mid has 16 hexadecimal digits, not "${mid}"`);
  }
  if (!isUserKey(userPublicKey)) {
    throw new FleetSetupError("INVALID_OPTIONS", "a member's public key is U and 55 of A-Z, 2-7");
  }
  return signScopedUser(secrets.signer("members"), secrets.account, mid, userPublicKey, expiresAt);
}

/** Whether a text has the shape of a user's public key (`U…`). */
export function isUserKey(text: string): boolean {
  return USER_KEY.test(text);
}

/**
 * For a hub's connection to the fleet's account: it may do everything there.
 *
 * @param name shown by the server, as the hub's id
 * @param expiresAt ms since 1970; without it they do not expire, as the secrets that make them do not
 */
export async function issueHubCredentials(
  secrets: FleetSecrets,
  name: string,
  expiresAt?: number,
): Promise<EngineCredentials> {
  const { publicKey, seed } = createNKey("user");
  const signer = secrets.signer("hubs");
  const jwt = await signUser(signer, secrets.account, name, publicKey, {}, expiresAt);
  return { jwt, seed };
}

/**
 * For a hub's connection to the system account, by which it asks servers of what they are and pushes
 * the account's JWT. It may ask, and nothing else: no events, no shutting down.
 *
 * @param name shown by the server
 * @param expiresAt ms since 1970; without it they do not expire
 */
export async function issueSystemCredentials(
  secrets: FleetSecrets,
  name: string,
  expiresAt?: number,
): Promise<EngineCredentials> {
  const { publicKey, seed } = createNKey("user");
  const permissions = {
    pub: {
      allow: [
        "$SYS.REQ.CLAIMS.UPDATE",
        "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.SERVER.PING.*",
      ],
      deny: [],
    },
    sub: { allow: ["_INBOX.>"], deny: [] },
  };
  const signer = secrets.signer("system");
  const jwt = await signUser(
    signer,
    secrets.systemAccount,
    name,
    publicKey,
    permissions,
    expiresAt,
  );
  return { jwt, seed };
}
