import type { InstanceAction } from "@nodepass/model";
import { MasterClientError } from "./client-error.ts";
import { nameInstance } from "./find-instance.ts";
import type { MasterClient } from "./master-client.ts";
import type { RemoteInstance } from "./remote-instance.ts";
import { sleep } from "./sleep.ts";

/** How long an action is waited for. */
export interface ActOptions {
  /** How long it may take to show, ms; masters stop an instance within 5 s. @default 10000 */
  readonly settleMs?: number | undefined;
  /** Gives up waiting; the action goes on. */
  readonly signal?: AbortSignal | undefined;
}

const defaultSettleMs = 10_000;
const pollIntervalMs = 200;
/** How long an error may be the one from before the action, ms. */
const oldErrorMs = 1500;

/**
 * Makes an instance do something and waits until it shows: NodePass 1.14 answers with the state
 * before the action.
 *
 * @returns the state reached; one that failed to start is in `error`
 * @throws {MasterClientError} `REFUSED` if the state is not reached in time
 * @example
 * const { status } = await act(client, instance, "restart");
 */
export async function act(
  client: MasterClient,
  { id }: Pick<RemoteInstance, "id">,
  action: InstanceAction,
  { settleMs = defaultSettleMs, signal }: ActOptions = {},
): Promise<RemoteInstance> {
  const never = new AbortController().signal;
  let instance = await client.change(id, { action });
  if (action === "reset") return instance;
  const wanted = action === "stop" ? "stopped" : "running";
  const start = performance.now();
  while (instance.status !== wanted) {
    const elapsedMs = performance.now() - start;
    if (wanted === "running" && instance.status === "error" && elapsedMs >= oldErrorMs) {
      return instance;
    }
    if (elapsedMs >= settleMs || signal?.aborted === true) {
      throw new MasterClientError(
        "REFUSED",
        `${nameInstance(instance)} is still ${instance.status} after ${action}`,
      );
    }
    await sleep(pollIntervalMs, signal ?? never);
    instance = await client.get(id);
  }
  return instance;
}
