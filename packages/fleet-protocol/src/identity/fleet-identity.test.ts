import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { openBox } from "../seal/box.ts";
import { createBoxKeys } from "../seal/box-keys.ts";
import { FleetSetupError, type FleetSetupErrorCode } from "../setup-error.ts";
import { retireSigners, revokeMembers, rotateSigner, withoutRetired } from "./account-changes.ts";
import { signersOf } from "./account-claims.ts";
import { readClaimsAnswer } from "./claims-requests.ts";
import {
  createUserKey,
  issueHubCredentials,
  issueMemberJwt,
  issueSystemCredentials,
} from "./credentials.ts";
import { createFleetIdentity } from "./fleet-identity.ts";
import { decodeFleetSecrets, encodeFleetSecrets, type FleetSecrets } from "./fleet-secrets.ts";
import { readAccount, readUser } from "./nats-jwt.ts";
import { rotateOperatorSigner } from "./operator-rotation.ts";
import { createSigner } from "./signer.ts";

const MID = "00000000000000a1";
const { secrets, operatorSeed } = await createFleetIdentity("demo");
const { publicKey: userPublicKey } = createUserKey();

const publicKeyOf = (seed: string) => createSigner(seed).getPublicKey();
const signersToday = (of: FleetSecrets) => ({
  members: of.signer("members").getPublicKey(),
  hubs: of.signer("hubs").getPublicKey(),
});
const claimsOf = (jwt: string) =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

async function codeOf(action: () => unknown): Promise<FleetSetupErrorCode | "none"> {
  try {
    await action();
  } catch (error) {
    if (error instanceof FleetSetupError) return error.code;
    throw error;
  }
  return "none";
}

describe("a fleet's secrets", () => {
  test("come back from their file", () => {
    const again = decodeFleetSecrets(encodeFleetSecrets(secrets));
    expect(again.reveal()).toEqual(secrets.reveal());
    expect(again.account).toBe(secrets.account);
    expect(again.systemAccount).toBe(secrets.systemAccount);
  });

  test("are shown by nothing that prints them", () => {
    const { operator, system, account, boxKeys, dataKeys } = secrets.reveal();
    const hidden = [operator.signingSeed, system.seed, account.memberSeed, account.hubSeed];
    for (const key of [...boxKeys, ...dataKeys]) {
      hidden.push(Buffer.from(key).toString("base64url"), Buffer.from(key).toString("hex"));
    }
    const shown = `${inspect(secrets, { depth: 9, showHidden: true })}${JSON.stringify({ secrets })}`;
    expect(shown).toContain(secrets.account);
    for (const secret of hidden) expect(shown).not.toContain(secret.slice(0, 12));
  });

  test("in a file of another shape are refused with the field's name, not its value", async () => {
    const file = JSON.parse(encodeFleetSecrets(secrets));
    const refusals = [
      ["no JSON", "{"],
      [
        "another shape at account.memberSeed",
        { ...file, account: { ...file.account, memberSeed: "SUhidden" } },
      ],
      ["another shape at dataKeys.0", { ...file, dataKeys: ["hidden"] }],
      ["another shape at version", { ...file, version: 2 }],
      ["data key", { ...file, dataKeys: [] }],
      ["no name of a fleet", { ...file, fleet: "A B" }],
    ] as const;
    for (const [message, value] of refusals) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      expect(() => decodeFleetSecrets(text)).toThrow(message);
      expect(() => decodeFleetSecrets(text)).not.toThrow("hidden");
      expect(await codeOf(() => decodeFleetSecrets(text))).toBe("BAD_SECRETS");
    }
    const broken = { ...file, account: { ...file.account, jwt: "a.b.c" } };
    expect(await codeOf(() => decodeFleetSecrets(JSON.stringify(broken)))).toBe("BAD_JWT");
  });

  test("keep a former box key, which members still seal for", () => {
    const fresh = createBoxKeys();
    const { boxKeys } = secrets.reveal();
    const rotated = secrets.with({ boxKeys: [fresh.privateKey, ...boxKeys] });
    expect(rotated.boxKeys.publicKey).toEqual(fresh.publicKey);
    const [former] = rotated.formerBoxKeys;
    if (former === undefined) throw new Error("no former key");
    const own = createBoxKeys();
    const peerPublicKey = secrets.boxKeys.publicKey;
    const sealed = openBox({ own, peerPublicKey, side: "member" }).seal("s", new Uint8Array(1));
    const hub = openBox({ own: former, peerPublicKey: own.publicKey, side: "hub" });
    expect(hub.open("s", sealed).body).toHaveLength(1);
  });
});

describe("identities", () => {
  test("are made for names that fit a subject", async () => {
    for (const name of ["", "A", "a.b", "a*", "a b", "-a", "x".repeat(33)]) {
      expect(await codeOf(() => createFleetIdentity(name))).toBe("INVALID_OPTIONS");
    }
  });

  test("of members carry their mid and no permissions; those stand in the key's template", async () => {
    const expiresAt = 2_000_000_000_000;
    const jwt = await issueMemberJwt(secrets, { mid: MID, userPublicKey, expiresAt });
    expect(readUser(jwt)).toEqual({ name: MID, publicKey: userPublicKey, expiresAt });
    const { nats, iss } = claimsOf(jwt);
    expect(nats).toEqual({ issuer_account: secrets.account, type: "user", version: 2 });
    const key = readAccount(secrets.reveal().account.jwt).nats.signing_keys?.[0];
    expect(key).toMatchObject({
      kind: "user_scope",
      key: iss,
      template: {
        pub: {
          allow: [
            "np.demo.hb.{{name()}}",
            "np.demo.hub.{{name()}}.>",
            "np.demo.res.{{name()}}.>",
            "np.demo.ev.{{name()}}",
          ],
        },
        sub: { allow: ["np.demo.m.{{name()}}.>", "_INBOX_{{name()}}.>"] },
        resp: { max: 1, ttl: 120_000_000_000 },
      },
    });
  });

  test("of members are good for 30 days unless another time is said", async () => {
    const jwt = await issueMemberJwt(secrets, { mid: MID, userPublicKey });
    const days = ((readUser(jwt).expiresAt ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.99);
    expect(days).toBeLessThan(30.01);
  });

  test("are not made for a bad mid, or a key that is no user's", async () => {
    for (const mid of ["", "*", "a.b", ">", MID.toUpperCase(), `${MID}.x`]) {
      expect(await codeOf(() => issueMemberJwt(secrets, { mid, userPublicKey }))).toBe(
        "INVALID_OPTIONS",
      );
    }
    for (const bad of ["", secrets.account, createUserKey().seed]) {
      const options = { mid: MID, userPublicKey: bad };
      expect(await codeOf(() => issueMemberJwt(secrets, options))).toBe("INVALID_OPTIONS");
      const { jwt } = secrets.reveal().account;
      expect(await codeOf(() => revokeMembers(secrets, jwt, [bad]))).toBe("INVALID_OPTIONS");
    }
  });

  test("of hubs and of the system are of their accounts, each with a key of its own", async () => {
    const hub = await issueHubCredentials(secrets, "hub-1");
    const system = await issueSystemCredentials(secrets, "hub-1", 2_000_000_000_000);
    expect(claimsOf(hub.jwt)).toMatchObject({
      name: "hub-1",
      sub: publicKeyOf(hub.seed),
      iss: signersToday(secrets).hubs,
      nats: { issuer_account: secrets.account },
    });
    expect(claimsOf(system.jwt)).toMatchObject({
      sub: publicKeyOf(system.seed),
      iss: secrets.systemAccount,
      exp: 2_000_000_000,
    });
  });
});

describe("the account's JWT", () => {
  const { jwt } = secrets.reveal().account;

  test("gets revocations, and drops those that nothing can outlive", async () => {
    const days = 86_400_000;
    const [first, second, third] = [createUserKey(), createUserKey(), createUserKey()];
    const now = Date.now();
    const one = await revokeMembers(secrets, jwt, [first.publicKey], now - 40 * days);
    const two = await revokeMembers(secrets, one, [second.publicKey], now - 20 * days);
    const three = await revokeMembers(secrets, two, [third.publicKey], now);
    const { nats, iat } = readAccount(three);
    expect(Object.keys(nats.revocations ?? {}).sort()).toEqual(
      [second.publicKey, third.publicKey].sort(),
    );
    expect(nats.revocations?.[third.publicKey]).toBe(Math.floor(now / 1000));
    // A server keeps the one issued later.
    expect(iat).toBeGreaterThan(readAccount(two).iat);
    expect(signersOf(nats)).toEqual(signersOf(readAccount(jwt).nats));
  });

  test("does not wait for a clock that was put back", async () => {
    const later = await revokeMembers(secrets, jwt, [userPublicKey]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
    try {
      expect(readAccount(await revokeMembers(secrets, later, [])).iat).toBeLessThan(
        readAccount(later).iat,
      );
    } finally {
      vi.useRealTimers();
    }
  });

  test("has the former signer beside the new one until it is retired, and keeps revocations", async () => {
    const revoked = await revokeMembers(secrets, jwt, [userPublicKey]);
    const rotated = await rotateSigner(secrets, revoked, "hubs");
    const both = signersOf(readAccount(rotated.accountJwt).nats);
    expect(both.hubs).toEqual([signersToday(secrets).hubs, signersToday(rotated.secrets).hubs]);
    expect(both.members).toEqual([signersToday(secrets).members]);
    const retired = await retireSigners(rotated.secrets, rotated.accountJwt, "hubs");
    const now = readAccount(retired.accountJwt).nats;
    const left = { members: both.members, hubs: [signersToday(rotated.secrets).hubs] };
    expect(signersOf(now)).toEqual(left);
    expect(Object.keys(now.revocations ?? {})).toEqual([userPublicKey]);
    // A server that was told something else meanwhile has it still, till a hub looks.
    const kept = decodeFleetSecrets(encodeFleetSecrets(retired.secrets));
    const late = await withoutRetired(kept, rotated.accountJwt);
    expect(signersOf(readAccount(late ?? "").nats)).toEqual(left);
    expect(await withoutRetired(kept, late ?? "")).toBeUndefined();
    const again = retireSigners(retired.secrets, retired.accountJwt, "hubs");
    expect(await codeOf(() => again)).toBe("INVALID_OPTIONS");
  });

  test("of another account is refused", async () => {
    const another = (await createFleetIdentity("demo")).secrets.reveal().account.jwt;
    for (const bad of [another, "", secrets.reveal().operator.jwt]) {
      expect(await codeOf(() => revokeMembers(secrets, bad, []))).toBe("BAD_JWT");
    }
  });

  test("and the system's are signed anew with a new signing key of the operator", async () => {
    const rotated = await rotateOperatorSigner(secrets, operatorSeed, jwt);
    const { operator, account, system } = rotated.reveal();
    const signer = publicKeyOf(operator.signingSeed);
    expect(signer).not.toBe(publicKeyOf(secrets.reveal().operator.signingSeed));
    expect(claimsOf(operator.jwt)).toMatchObject({
      iss: publicKeyOf(operatorSeed),
      sub: publicKeyOf(operatorSeed),
      nats: { signing_keys: [signer], system_account: secrets.systemAccount },
    });
    expect([claimsOf(account.jwt).iss, claimsOf(system.jwt).iss]).toEqual([signer, signer]);
    expect(rotated.account).toBe(secrets.account);
  });
});

test("a server's answer to a pushed JWT is read, whatever it is", () => {
  const read = (text: string) => readClaimsAnswer(new TextEncoder().encode(text));
  expect(read('{"server":{"name":"n1"},"data":{"code":200,"message":"jwt updated"}}')).toEqual({
    ok: true,
    server: "n1",
    message: "jwt updated",
  });
  expect(
    read('{"server":{"name":"n1"},"error":{"code":500,"description":"jwt validation failed"}}'),
  ).toEqual({ ok: false, server: "n1", message: "jwt validation failed" });
  for (const text of ["", "[]", "1", '{"data":{}}']) expect(read(text).ok).toBe(false);
});
