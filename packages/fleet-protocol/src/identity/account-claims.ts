import { memberTemplate } from "./member-template.ts";
import { type Account, type SigningKey, scopedSigner } from "./nats-jwt.ts";

type Limits = NonNullable<Account["limits"]>;

/** -1 is "no limit" in the engine's spelling. */
export const SYSTEM_LIMITS: Limits = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
  disallow_bearer: true,
};

/**
 * Connections of one fleet at most, some 4 for each of 2,000 members: fewer than a server takes, so that hubs
 * reach the system account, by which a member is cut off, whatever members do.
 */
const MAX_CONNECTIONS = 8192;

/** JetStream on disk for the hubs' buckets and the audit; nothing in memory, which a power cut takes. */
export const FLEET_LIMITS: Limits = {
  ...SYSTEM_LIMITS,
  conn: MAX_CONNECTIONS,
  mem_storage: 0,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
};

const MEMBER_ROLE = "member";

/**
 * The account's signing keys: scoped ones for members, plain ones for hubs, which may do everything
 * in the account.
 *
 * @param members public keys (`A…`)
 * @param hubs public keys (`A…`)
 */
export function fleetSigningKeys(
  fleet: string,
  members: readonly string[],
  hubs: readonly string[],
): (SigningKey | string)[] {
  const template = memberTemplate(fleet);
  return [...members.map((key) => scopedSigner(key, MEMBER_ROLE, template)), ...hubs];
}

/** The public keys that sign members, and those that sign hubs. */
export function signersOf(account: Partial<Account>): { members: string[]; hubs: string[] } {
  const members: string[] = [];
  const hubs: string[] = [];
  for (const key of account.signing_keys ?? []) {
    if (typeof key === "string") hubs.push(key);
    else members.push(key.key);
  }
  return { members, hubs };
}
