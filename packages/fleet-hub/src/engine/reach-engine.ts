import { issueHubCredentials, issueSystemCredentials } from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import type { HubSecrets } from "../hub-secrets.ts";
import { type EngineControl, type EngineFacts, engineControl } from "./engine-control.ts";
import { connectEngine, type EngineLink } from "./engine-link.ts";

/** A hub's two connections: of the fleet's account, and of the system's. */
export interface ReachedEngine {
  readonly link: EngineLink;
  readonly system: EngineLink;
  readonly control: EngineControl;
  /** What its servers said of themselves. */
  readonly facts: EngineFacts;
}

/** How it is reached. */
export interface ReachEngineOptions {
  readonly hub: HubSecrets;
  /** Shown by the server. */
  readonly id: string;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
  /** Told how to undo what was opened, in order. */
  readonly onOpened: (undo: () => void) => void;
}

/**
 * Connects, and checks what the engine is before anything is stored in it.
 *
 * @throws {ServiceError} `UNAVAILABLE` if it can't be reached, or is refused by name
 */
export async function reachEngine(options: ReachEngineOptions): Promise<ReachedEngine> {
  const { hub, id, connectTimeoutMs, logger, onOpened } = options;
  const { servers, ca, secrets } = hub;
  const common = { servers, ca, connectTimeoutMs, logger };
  const system = await connectEngine({
    ...common,
    name: `${id} system`,
    credentials: await issueSystemCredentials(secrets, id),
  });
  onOpened(() => void system.close());
  const control = engineControl(system, secrets, logger);
  const facts = await control.check();
  const link = await connectEngine({
    ...common,
    name: id,
    credentials: await issueHubCredentials(secrets, id),
  });
  onOpened(() => void link.close());
  return { link, system, control, facts };
}
