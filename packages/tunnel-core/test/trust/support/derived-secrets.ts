import { stretchTunnelKey } from "../../../src/wire/proof.ts";
import { tunnelToken } from "../../../src/wire/tunnel-token.ts";

/** What opens a tunnel as its key does: the stretched key and the token of NodePass 1.14. */
export async function derivedSecrets(key: string): Promise<string[]> {
  const stretched = await stretchTunnelKey(key);
  return [tunnelToken(key), stretched.toString("hex"), stretched.toString("base64url")];
}
