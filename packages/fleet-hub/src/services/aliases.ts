import { ServiceError } from "@nodepass/model";
import { claimName, releaseName } from "../store/claim-name.ts";
import { StoreError } from "../store/fleet-store.ts";
import type { ServiceParts } from "./service-operations.ts";

/** Each alias is one service's, whichever hubs give it. */
export interface Aliases {
  /**
   * As far as this hub knows; before something is done for it.
   *
   * @param sid of who wants it
   * @throws {ServiceError} `CONFLICT` if another service has it
   */
  demandFree(sid: string, alias: string): void;
  /**
   * After it was written. What the engine does not take now, as with a full disk, is no reason to tell
   * the caller that nothing was done.
   *
   * @returns why it can't have it: another service got it at the same moment, at another hub
   */
  claim(sid: string, alias: string): Promise<ServiceError | undefined>;
  /** It has it no more. Never rejects: what is left behind is in nobody's way. */
  release(sid: string, alias: string): Promise<void>;
}

export function createAliases({
  index,
  store,
  logger,
}: Pick<ServiceParts, "index" | "store" | "logger">): Aliases {
  const taken = (sid: string, alias: string) =>
    new ServiceError("CONFLICT", `service ${sid} has the alias ${alias} already`);
  const has = (alias: string) => async (sid: string) =>
    (await store.services.get(sid))?.value.alias === alias;

  return {
    demandFree: (sid, alias) => {
      if (alias === "") return;
      for (const [other, { value }] of index.services) {
        if (value.alias === alias && other !== sid) throw taken(other, alias);
      }
    },
    claim: async (sid, alias) => {
      if (alias === "") return undefined;
      try {
        const other = await claimName(store.names, "alias", alias, sid, has(alias));
        return other === undefined ? undefined : taken(other, alias);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.code === "CONFLICT") return taken("of another hub", alias);
        // It is written already, and no other hub that knows of it gives the alias again.
        logger.warn({ sid, alias, error: error.message }, "an alias could not be claimed");
        return undefined;
      }
    },
    release: async (sid, alias) => {
      if (alias === "") return;
      await releaseName(store.names, "alias", alias, sid, has(alias)).catch((error: unknown) => {
        logger.debug({ sid, alias, error: String(error) }, "a claim of an alias is left behind");
      });
    },
  };
}
