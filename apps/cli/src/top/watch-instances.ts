import { setTimeout as sleep } from "node:timers/promises";
import { followEvents, type MasterClient } from "@nodepass/master-client";
import { asCliError, exitCodes } from "../exit-code.ts";
import type { InstanceBoard } from "./instance-board.ts";

/** How the board gets its news: not yet, by events, by asking, or not at the moment. */
export type NewsSource = "opening" | "live" | "polling" | "away";

/** How a master is watched. */
export interface WatchInstancesOptions {
  readonly board: InstanceBoard;
  readonly signal: AbortSignal;
  /** Time between two questions while there are no events, ms. */
  readonly intervalMs: number;
  readonly onSource: (source: NewsSource) => void;
}

/** Time before another attempt at an event stream that could not be opened, ms. */
const retryMs = 10_000;

/**
 * Keeps a board up to date until the signal aborts: from the event stream, and by asking while that
 * is broken or cannot be had.
 *
 * @throws {CliError} when the master refuses the key
 */
export async function watchInstances(
  client: MasterClient,
  options: WatchInstancesOptions,
): Promise<void> {
  const { board, signal, intervalMs, onSource } = options;
  const refused = new AbortController();
  const ended = AbortSignal.any([signal, refused.signal]);
  let isLive = false;

  const ask = async () => {
    try {
      board.replace(await client.list(), performance.now());
      if (!isLive) onSource("polling");
    } catch (error) {
      if (isRefusal(error)) refused.abort(error);
      if (!isLive) onSource("away");
    }
  };
  const poll = async () => {
    while (!ended.aborted) {
      // Rejects only when it is to end.
      await sleep(intervalMs, undefined, { signal: ended }).catch(() => undefined);
      if (!isLive && !ended.aborted) await ask();
    }
  };
  const follow = async () => {
    while (!ended.aborted) {
      try {
        await followEvents(client, {
          signal: ended,
          onEvent: (event) => board.apply(event, performance.now()),
          onOpen: () => {
            isLive = true;
            onSource("live");
            // Events don't tell what was removed while there was no stream.
            void ask();
          },
          onLost: () => {
            isLive = false;
            onSource("away");
          },
        });
      } catch (error) {
        isLive = false;
        if (isRefusal(error)) refused.abort(error);
      }
      if (!ended.aborted) {
        await sleep(retryMs, undefined, { signal: ended }).catch(() => undefined);
      }
    }
  };
  await Promise.all([poll(), follow()]);
  refused.signal.throwIfAborted();
}

function isRefusal(error: unknown): boolean {
  return asCliError(error)?.exitCode === exitCodes.unauthorized;
}
