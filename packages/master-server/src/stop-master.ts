import type { InstanceManager } from "@nodepass/instances";
import type { MasterApi } from "@nodepass/master-api";
import type { StateStore } from "@nodepass/store";
import type { RunningExtension } from "./extension.ts";
import type { HttpServer } from "./http/http-server.ts";
import { MasterServerError } from "./master-server-error.ts";

/** What a master stops, in the order in which it does. */
export interface StoppingParts {
  readonly api: Pick<MasterApi, "close">;
  readonly server: Pick<HttpServer, "close" | "destroy">;
  readonly extension: RunningExtension | undefined;
  readonly instances: Pick<InstanceManager, "close">;
  readonly store: Pick<StateStore, "close" | "failure">;
}

/** Of the time for a graceful stop, what the state gets to be written, ms. */
const longestSaveMs = 1000;

/**
 * Stops a master within `timeoutMs`: event streams are told and new connections refused, then
 * instances and requests in progress have until shortly before the end, then the state is saved.
 *
 * @throws {MasterServerError} `STOP_INCOMPLETE` if the state could not be saved
 */
export async function stopMaster(parts: StoppingParts, timeoutMs: number): Promise<void> {
  const { api, server, extension, instances, store } = parts;
  const graceMs = Math.max(0, timeoutMs - Math.min(longestSaveMs, timeoutMs / 5));
  // In one turn: who hears `shutdown` and comes back at once finds nobody.
  const answered = Promise.all([api.close(), server.close(), extension?.close()]);
  const [stopped] = await Promise.allSettled([
    instances.close({ timeoutMs: graceMs }),
    beforeTimeout(answered, graceMs),
  ]);
  extension?.destroy();
  server.destroy();
  await store.close();
  const failure = store.failure ?? (stopped.status === "rejected" ? stopped.reason : undefined);
  if (failure !== undefined) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    const message = `the state was not saved: ${reason}`;
    throw new MasterServerError("STOP_INCOMPLETE", message, { cause: failure });
  }
}

async function beforeTimeout(task: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  try {
    await Promise.race([task, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
