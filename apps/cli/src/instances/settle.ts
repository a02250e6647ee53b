import { setTimeout as sleep } from "node:timers/promises";
import type { MasterClient, RemoteInstance } from "@nodepass/master-client";
import { CliError } from "../exit-code.ts";
import { shownName } from "../output/instance-name.ts";

/** What an action can be. */
export type InstanceAction = "start" | "stop" | "restart" | "reset";

/** How long an action may take to show, ms; masters stop an instance within 5 s. */
export const defaultSettleMs = 10_000;
const pollIntervalMs = 200;
/** How long an error may be the one from before the action, ms. */
const oldErrorMs = 1500;

/**
 * Makes an instance do something and waits until it shows: NodePass 1.14 answers with the state
 * before the action.
 *
 * @throws {CliError} if the instance fails, or the state is not reached in time
 */
export async function act(
  client: MasterClient,
  { id }: RemoteInstance,
  action: InstanceAction,
  settleMs: number = defaultSettleMs,
): Promise<RemoteInstance> {
  let instance = await client.change(id, { action });
  if (action === "reset") return instance;
  const wanted = action === "stop" ? "stopped" : "running";
  const start = performance.now();
  while (instance.status !== wanted) {
    const elapsedMs = performance.now() - start;
    if (wanted === "running" && instance.status === "error" && elapsedMs >= oldErrorMs) {
      return instance;
    }
    if (elapsedMs >= settleMs) {
      throw new CliError(`${shownName(instance)} is still ${instance.status} after ${action}`);
    }
    await sleep(pollIntervalMs);
    instance = await client.get(id);
  }
  return instance;
}
