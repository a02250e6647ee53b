import type { FleetRole } from "@nodepass/model/fleet";
import type { Context } from "hono";

// A symbol that only this module has: nothing that comes over the network, and no variable of a
// platform's environment, can have it for a name.
const TRUSTED = Symbol("nodepass.trusted");

/** Who asks, where somebody else has found out already: a fleet's hub, by the member's sealed line to it. */
export interface Trusted {
  readonly role: FleetRole;
  /** IP address of who asked. */
  readonly remoteAddress?: string | undefined;
}

/**
 * The second argument of `app.fetch` for a request that needs no key. A `viewer` may read; an
 * `operator` may also write; neither sees the tunnels' keys or makes keys. An `admin` may do
 * everything, and sees all but the API key.
 *
 * @example
 * const answer = await api.app.fetch(request, trustedEnvironment({ role: "viewer" }));
 */
export function trustedEnvironment({ role, remoteAddress }: Trusted): object {
  return { remoteAddress, [TRUSTED]: role };
}

/** The role of {@link trustedEnvironment}; `undefined` for every other request. */
export function trustedRole({ env }: Context): FleetRole | undefined {
  return env?.[TRUSTED];
}
