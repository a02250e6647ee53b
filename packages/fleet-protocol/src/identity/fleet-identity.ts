import { createDataKey } from "../seal/at-rest.ts";
import { createBoxKeys } from "../seal/box-keys.ts";
import { FleetSetupError } from "../setup-error.ts";
import { isFleetName } from "../subjects.ts";
import { FLEET_LIMITS, fleetSigningKeys, SYSTEM_LIMITS } from "./account-claims.ts";
import { FleetSecrets } from "./fleet-secrets.ts";
import { createNKey, signAccount, signOperator } from "./nats-jwt.ts";
import { operatorName } from "./operator-rotation.ts";
import { createSigner } from "./signer.ts";

/** A new fleet's identities. */
export interface FleetIdentity {
  /** What hubs hold. */
  secrets: FleetSecrets;
  /**
   * `SO…`: the root. No hub needs it; kept elsewhere, it can make a new signing key for the operator
   * when a hub's secrets were lost to somebody ({@link rotateOperatorSigner}).
   */
  operatorSeed: string;
}

/**
 * Makes everything that NATS's operator mode needs for one fleet: operator and its signing key, system
 * account, the fleet's account with JetStream and two signing keys, one scoped for members and one for
 * hubs; also the fleet's box and data keys.
 *
 * @param fleet 1 to 32 of lower-case letters, digits and inner hyphens
 * @throws {FleetSetupError} `INVALID_OPTIONS` if it is no name for a fleet
 */
export async function createFleetIdentity(fleet: string): Promise<FleetIdentity> {
  if (!isFleetName(fleet)) {
    const allowed = "1 to 32 lower-case letters, digits and inner hyphens";
    throw new FleetSetupError("INVALID_OPTIONS", `"${fleet}" is no name for a fleet: ${allowed}`);
  }
  const operator = createNKey("operator");
  const operatorSigner = createNKey("operator");
  const system = createNKey("account");
  const account = createNKey("account");
  const members = createNKey("account");
  const hubs = createNKey("account");
  const operatorJwt = await signOperator(
    createSigner(operator.seed),
    operatorName(fleet),
    [operatorSigner.publicKey],
    system.publicKey,
  );
  const signer = createSigner(operatorSigner.seed);
  const systemJwt = await signAccount(signer, "SYS", system.publicKey, {
    version: 2,
    limits: SYSTEM_LIMITS,
  });
  const accountJwt = await signAccount(signer, fleet, account.publicKey, {
    version: 2,
    limits: FLEET_LIMITS,
    signing_keys: fleetSigningKeys(fleet, [members.publicKey], [hubs.publicKey]),
  });
  const secrets = new FleetSecrets({
    fleet,
    operator: { jwt: operatorJwt, signingSeed: operatorSigner.seed },
    system: { jwt: systemJwt, seed: system.seed },
    account: { jwt: accountJwt, memberSeed: members.seed, hubSeed: hubs.seed },
    boxKeys: [createBoxKeys().privateKey],
    dataKeys: [createDataKey()],
  });
  return { secrets, operatorSeed: operator.seed };
}
