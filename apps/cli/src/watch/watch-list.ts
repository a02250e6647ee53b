import type { MasterClient, RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { createInstanceBoard } from "../top/instance-board.ts";
import { watchInstances } from "../top/watch-instances.ts";
import { toSignal } from "./follow-until-stopped.ts";

/** Time between two looks, ms: check points come in crowds. */
const lookIntervalMs = 1000;

/** Prints a master's instances, and again after whatever changed, until it is asked to stop. */
export async function watchList(
  context: CliContext,
  client: MasterClient,
  print: (instances: readonly RemoteInstance[]) => Promise<void>,
): Promise<void> {
  const stop = toSignal(context.watchStop());
  const failed = new AbortController();
  const signal = AbortSignal.any([stop, failed.signal]);
  const board = createInstanceBoard();
  board.replace(await client.list(), performance.now());
  let shown = "";
  const look = async () => {
    const instances = board.rows("name", performance.now()).map(({ instance }) => instance);
    const now = JSON.stringify(instances.map(({ raw }) => raw));
    if (now === shown) return;
    if (shown !== "" && context.stdout.isTTY !== true) context.stdout.write("\n");
    // On a terminal the list stays in one place.
    if (context.stdout.isTTY === true) context.stdout.write("\x1b[H\x1b[2J");
    shown = now;
    await print(instances);
  };
  await look();
  const timer = setInterval(
    () => void look().catch((error) => failed.abort(error)),
    lookIntervalMs,
  );
  try {
    await watchInstances(client, {
      board,
      signal,
      intervalMs: lookIntervalMs,
      onSource: () => undefined,
    });
  } finally {
    clearInterval(timer);
  }
  failed.signal.throwIfAborted();
}
