import type { InstanceManager } from "@nodepass/instances";
import { type Trusted, trustedEnvironment } from "@nodepass/master-api";
import type { Logger, MasterInfo } from "@nodepass/model";
import type { Hono } from "hono";

/** What an extension is given of the master that it runs beside. */
export interface MasterExtensionParts {
  readonly instances: InstanceManager;
  /**
   * Asks the API without a network.
   *
   * @param trusted who asks, where the extension has found out; absent: a key decides, as for others
   */
  ask(request: Request, trusted?: Trusted | { readonly remoteAddress?: string }): Promise<Response>;
  /** Where the API is, `/api`. */
  readonly prefix: string;
  readonly stateDirectory: string;
  readonly version: string;
  readonly logger: Logger;
  info(): Promise<MasterInfo>;
  /** Gives up starting. */
  readonly signal: AbortSignal | undefined;
}

/** Ended with its master. */
export interface RunningExtension {
  /** Before the instances are; never rejects. */
  close(): Promise<void>;
  /** Now. Idempotent. */
  destroy(): void;
}

/**
 * Runs beside a master, in its process: the member's side of a fleet. It is called when the state is
 * open and before the first instance starts; the master waits for it, and does not start if it rejects.
 */
export type MasterExtension = (parts: MasterExtensionParts) => Promise<RunningExtension>;

/** @param app the master's API */
export function createAsk(app: Hono): MasterExtensionParts["ask"] {
  return async (request, trusted = {}) =>
    app.fetch(request, "role" in trusted ? trustedEnvironment(trusted) : { ...trusted });
}
