import type { FleetSecrets } from "./fleet-secrets.ts";
import { createNKey, readAccount, signAccount, signOperator } from "./nats-jwt.ts";
import { createSigner } from "./signer.ts";

/**
 * A new signing key for the operator. The operator's JWT is in each server's configuration: write it
 * anew ({@link serverConfig}) and reload or restart the servers, whose preloaded accounts are then of
 * the new key. The former key is worth nothing from then on.
 *
 * @param operatorSeed `SO…`, the root that `createFleetIdentity` gave
 * @param accountJwt the fleet's account as the server has it
 */
export async function rotateOperatorSigner(
  secrets: FleetSecrets,
  operatorSeed: string,
  accountJwt: string,
): Promise<FleetSecrets> {
  const { system, account } = secrets.reveal();
  const { publicKey, seed } = createNKey("operator");
  const signer = createSigner(seed);
  const signAnew = (name: string, jwt: string) => {
    const { sub, nats } = readAccount(jwt);
    return signAccount(signer, name, sub, { version: 2, ...nats });
  };
  const name = operatorName(secrets.fleet);
  return secrets.with({
    operator: {
      jwt: await signOperator(createSigner(operatorSeed), name, [publicKey], secrets.systemAccount),
      signingSeed: seed,
    },
    system: { ...system, jwt: await signAnew("SYS", system.jwt) },
    account: { ...account, jwt: await signAnew(secrets.fleet, accountJwt) },
  });
}

/** Shown by the server in its log. */
export function operatorName(fleet: string): string {
  return `nodepass-${fleet}`;
}
