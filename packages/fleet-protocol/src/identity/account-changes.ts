import { setTimeout as delay } from "node:timers/promises";
import { FleetSetupError } from "../setup-error.ts";
import { fleetSigningKeys, signersOf } from "./account-claims.ts";
import { isUserKey, MEMBER_JWT_MS } from "./credentials.ts";
import type { FleetSecrets } from "./fleet-secrets.ts";
import { type Account, createNKey, readAccount, signAccount } from "./nats-jwt.ts";

/** A revocation is kept so much longer than what it revokes can live. */
const REVOCATION_MS = MEMBER_JWT_MS + 86_400_000;

/**
 * The account's JWT with members' keys revoked: what was issued for them until `at` is not taken
 * any more, and the server cuts their connections as soon as it is told (`$SYS.REQ.CLAIMS.UPDATE`,
 * see {@link CLAIMS_UPDATE_SUBJECT}). Those that their JWTs cannot outlive are dropped from the list.
 *
 * @param accountJwt the account as the server has it ({@link claimsLookupSubject})
 * @param userPublicKeys `U…` of each
 * @param at ms since 1970; a JWT issued in the same second is revoked, one issued later is good
 * @throws {FleetSetupError} `BAD_JWT`, `INVALID_OPTIONS`
 */
export async function revokeMembers(
  secrets: FleetSecrets,
  accountJwt: string,
  userPublicKeys: readonly string[],
  at: number = Date.now(),
): Promise<string> {
  if (!userPublicKeys.every(isUserKey)) {
    throw new FleetSetupError("INVALID_OPTIONS", "a member's public key is U and 55 of A-Z, 2-7");
  }
  return changeAccount(secrets, accountJwt, (account) => {
    const seconds = Math.floor(at / 1000);
    const oldest = Math.floor((at - REVOCATION_MS) / 1000);
    const kept = Object.entries(account.revocations ?? {}).filter(([, when]) => when >= oldest);
    const added = userPublicKeys.map((key): [string, number] => [key, seconds]);
    return { ...account, revocations: Object.fromEntries([...kept, ...added]) };
  });
}

/** What a rotation yields: both are to be kept, the JWT is to be pushed. */
export interface Rotated {
  secrets: FleetSecrets;
  accountJwt: string;
}

/**
 * A new signing key for members or for hubs. The former one stays good until
 * {@link retireSigners}, so that members renew their JWTs in their own time.
 *
 * @param accountJwt the account as the server has it
 */
export async function rotateSigner(
  secrets: FleetSecrets,
  accountJwt: string,
  which: "members" | "hubs",
): Promise<Rotated> {
  const { publicKey, seed } = createNKey("account");
  const changed = await changeAccount(secrets, accountJwt, (account) => {
    const signers = signersOf(account);
    signers[which].push(publicKey);
    const keys = fleetSigningKeys(secrets.fleet, signers.members, signers.hubs);
    return { ...account, signing_keys: keys };
  });
  const { account } = secrets.reveal();
  const seeds = which === "members" ? { memberSeed: seed } : { hubSeed: seed };
  const since = { ...account.since, [which]: Date.now() };
  return {
    secrets: secrets.with({ account: { ...account, ...seeds, since, jwt: changed } }),
    accountJwt: changed,
  };
}

/**
 * The former signing keys of members or of hubs sign no more: who has a JWT of one is cut off, and a
 * member gets another from a hub.
 *
 * @param accountJwt the account as it was when the secrets were written
 * @throws {FleetSetupError} `INVALID_OPTIONS` if there is no former key
 */
export async function retireSigners(
  secrets: FleetSecrets,
  accountJwt: string,
  which: "members" | "hubs",
): Promise<Rotated> {
  const today = secrets.signer(which).getPublicKey();
  const former = signersOf(readAccount(accountJwt).nats)[which].filter((key) => key !== today);
  if (former.length === 0) {
    throw new FleetSetupError(
      "INVALID_OPTIONS",
      `${which} have one signing key, and no former one`,
    );
  }
  const { account } = secrets.reveal();
  const retired = [...(account.retired ?? []), ...former];
  const told = secrets.with({ account: { ...account, retired } });
  const changed = (await withoutRetired(told, accountJwt)) ?? accountJwt;
  return {
    secrets: told.with({ account: { ...account, retired, jwt: changed } }),
    accountJwt: changed,
  };
}

/**
 * Takes out of the account what signs no more.
 *
 * @param accountJwt the account as the server has it
 * @returns `undefined`: it has none of that
 */
export async function withoutRetired(
  secrets: FleetSecrets,
  accountJwt: string,
): Promise<string | undefined> {
  const { retired = [] } = secrets.reveal().account;
  const { members, hubs } = signersOf(readAccount(accountJwt).nats);
  const isGood = (key: string) => !retired.includes(key);
  if ([...members, ...hubs].every(isGood)) return undefined;
  const keys = fleetSigningKeys(secrets.fleet, members.filter(isGood), hubs.filter(isGood));
  return changeAccount(secrets, accountJwt, (account) => ({ ...account, signing_keys: keys }));
}

async function changeAccount(
  secrets: FleetSecrets,
  accountJwt: string,
  change: (account: Account) => Account,
): Promise<string> {
  const { sub, iat, nats } = readAccount(accountJwt);
  if (sub !== secrets.account) {
    throw new FleetSetupError("BAD_JWT", `the JWT is of account ${sub}, not ${secrets.account}`);
  }
  await laterThan(iat);
  return signAccount(
    secrets.signer("operator"),
    secrets.fleet,
    sub,
    change({ version: 2, ...nats }),
  );
}

/**
 * Of two JWTs of an account a server keeps the one issued later, by whole seconds; of the same second
 * it may keep either. A clock that was put back is not waited for: what is pushed is taken anyhow.
 */
async function laterThan(iat: number): Promise<void> {
  const ms = (iat + 1) * 1000 - Date.now();
  if (ms > 0 && ms <= 1000) await delay(ms);
}
