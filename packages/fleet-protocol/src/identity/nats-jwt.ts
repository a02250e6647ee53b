import {
  type Account,
  type ClaimsData,
  createAccount,
  createOperator,
  createUser,
  decode,
  encodeAccount,
  encodeOperator,
  encodeUser,
  isAccount,
  newScopedSigner,
  type SigningKey,
  type User,
} from "@nats-io/jwt";
import { FleetSetupError } from "../setup-error.ts";
import { createSigner, type Signer } from "./signer.ts";

// All calls of @nats-io/jwt but signer.ts's: it is young (0.0.11), what it changes is changed here alone.

export type { Account, SigningKey, User };

/** An NKey: Ed25519, in the engine's spelling. */
export interface NKey {
  /** `O…`, `A…` or `U…`, 56 characters. */
  publicKey: string;
  /** `SO…`, `SA…` or `SU…`, 58 characters: the secret half. */
  seed: string;
}

const CREATE = { operator: createOperator, account: createAccount, user: createUser } as const;

export function createNKey(kind: keyof typeof CREATE): NKey {
  const seed = new TextDecoder().decode(CREATE[kind]().getSeed());
  return { publicKey: createSigner(seed).getPublicKey(), seed };
}

/** Signed by itself: the root of trust, which the server is told of in its configuration. */
export function signOperator(
  operator: Signer,
  name: string,
  signingKeys: readonly string[],
  systemAccount: string,
): Promise<string> {
  const claims = { signing_keys: [...signingKeys], system_account: systemAccount };
  return encodeOperator(name, operator, claims);
}

export function signAccount(
  signer: Signer,
  name: string,
  publicKey: string,
  account: Account,
): Promise<string> {
  return encodeAccount(name, publicKey, account, { signer });
}

/** A user with permissions of its own, of the account whose identity or signing key it is given. */
export function signUser(
  signer: Signer,
  account: string,
  name: string,
  publicKey: string,
  user: Partial<User>,
  expiresAt: number | undefined,
): Promise<string> {
  const exp = expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) };
  const own = signer.getPublicKey() === account;
  return own
    ? encodeUser(name, publicKey, signer, user, exp)
    : encodeUser(name, publicKey, account, user, { ...exp, signer });
}

/** A user whose permissions are the scoped key's template: it may have none of its own. */
export function signScopedUser(
  signer: Signer,
  account: string,
  name: string,
  publicKey: string,
  expiresAt: number,
): Promise<string> {
  const exp = Math.floor(expiresAt / 1000);
  return encodeUser(name, publicKey, account, {}, { exp, signer, scopedUser: true });
}

export function scopedSigner(publicKey: string, role: string, template: Partial<User>): SigningKey {
  return newScopedSigner(publicKey, role, template);
}

/**
 * What an account's JWT says; its signature is checked.
 *
 * @throws {FleetSetupError} `BAD_JWT`
 */
export function readAccount(jwt: string): ClaimsData<Account> {
  const claims = read<Account>(jwt);
  if (!isAccount(claims)) throw new FleetSetupError("BAD_JWT", "the JWT is not an account's");
  return claims;
}

/** Whose JWT it is, from when and until when (ms since 1970), without saying that it is still good. */
export function readUser(jwt: string): { name: string; publicKey: string; expiresAt?: number } {
  const { name, sub, exp } = read<User>(jwt);
  return { name, publicKey: sub, ...(exp === undefined ? {} : { expiresAt: exp * 1000 }) };
}

function read<T>(jwt: string): ClaimsData<T> {
  try {
    return decode<T>(jwt);
  } catch (error) {
    throw new FleetSetupError("BAD_JWT", "the JWT cannot be read", { cause: error });
  }
}
