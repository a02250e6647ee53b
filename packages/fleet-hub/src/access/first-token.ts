import type { TokenRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { HubSecrets } from "../hub-secrets.ts";
import { type FleetStore, StoreError } from "../store/fleet-store.ts";

/**
 * Stores the admin's token that `fleet init` showed, in a bucket that has just been made. Once it is
 * removed it stays away, as the bucket is not new then.
 *
 * @throws {StoreError} `UNAVAILABLE`
 */
export async function storeFirstToken(
  store: Pick<FleetStore, "auth">,
  { firstToken }: HubSecrets,
  clock: Clock,
): Promise<void> {
  if (firstToken === undefined) return;
  const record: TokenRecord = {
    v: 1,
    kind: "api",
    hash: new Uint8Array(Buffer.from(firstToken.hash, "base64url")),
    role: "admin",
    selector: "",
    labels: {},
    uses: null,
    expires: null,
    note: "the first one, of fleet init",
    created: clock.now(),
  };
  try {
    await store.auth.create(firstToken.id, record);
  } catch (error) {
    // Another hub has begun at the same moment.
    if (!(error instanceof StoreError && error.code === "CONFLICT")) throw error;
  }
}
