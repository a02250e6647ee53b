import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { CliError, exitCodes } from "../exit-code.ts";
import { isRecord, keyInstanceId, type RemoteInstance, readInstance } from "./instance.ts";
import type { MasterClient } from "./master-client.ts";

/** Something that a master tells. */
export interface RemoteEvent {
  /** `initial`, `create`, `update`, `delete`, `log`, `shutdown`. */
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  /** Absent for `shutdown`. */
  readonly instance: RemoteInstance | undefined;
  /** The line of a `log`, else empty. */
  readonly logs: string;
}

/** How events are followed. */
export interface FollowEventsOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Returns when it can take more. */
  readonly onEvent: (event: RemoteEvent) => void;
  /** A stream is open; called for each. */
  readonly onOpen?: (() => void) | undefined;
  /** The stream broke, and is opened again after a while. */
  readonly onLost?: ((reason: string, waitMs: number) => void) | undefined;
  /** First wait before a stream is opened again; it doubles up to thirty times that. @default 500 */
  readonly firstWaitMs?: number | undefined;
  /** Chooses a wait between half of it and all of it. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** A frame beyond this is none of a master's, in characters: theirs stay below 64 Ki. */
const maxFrameCharacters = 1024 * 1024;
const maxWaitFactor = 30;

/**
 * Follows the event stream until the signal ends it, over as many connections as it takes.
 *
 * @throws {CliError} if the first connection fails, or the master refuses the key later
 */
export async function followEvents(
  client: MasterClient,
  options: FollowEventsOptions,
): Promise<void> {
  const { signal, firstWaitMs = 500, random = Math.random } = options;
  let stream = await openUnlessAborted(client, signal);
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    let reason = "the stream ended";
    try {
      stream ??= await openUnlessAborted(client, signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
      reason = error.message;
    }
    if (stream !== undefined) {
      options.onOpen?.();
      if (await readStream(stream, signal, options.onEvent)) waitMs = firstWaitMs;
      stream = undefined;
    }
    if (signal.aborted) return;
    const thisWaitMs = Math.round(waitMs * (0.5 + random() / 2));
    options.onLost?.(reason, thisWaitMs);
    // Rejects only when the signal aborts.
    await sleep(thisWaitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, firstWaitMs * maxWaitFactor);
  }
}

/** Whether a master that worked may come back: it is away, starts, or has too many readers. */
function isPassing(error: unknown): error is CliError {
  return (
    error instanceof CliError &&
    (error.exitCode === exitCodes.unreachable || error.exitCode === exitCodes.failure)
  );
}

async function openUnlessAborted(
  client: MasterClient,
  signal: AbortSignal,
): Promise<IncomingMessage | undefined> {
  try {
    return await client.openEvents(signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Reads one stream to its end. @returns whether an event came */
async function readStream(
  stream: IncomingMessage,
  signal: AbortSignal,
  onEvent: (event: RemoteEvent) => void,
): Promise<boolean> {
  let seen = false;
  const parser = createParser({
    maxBufferSize: maxFrameCharacters,
    onEvent: ({ data }) => {
      const event = readEvent(data);
      if (event === undefined || signal.aborted) return;
      seen = true;
      onEvent(event);
    },
    onError: ({ type }) => {
      // Other errors are lines that mean nothing, which the standard ignores.
      if (type === "max-buffer-size-exceeded") stream.destroy();
    },
  });
  const onAbort = () => stream.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    for await (const text of readText(stream)) {
      parser.feed(text);
      if (stream.destroyed) break;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
  return seen;
}

/** The text of a stream until it ends, however it ends. */
async function* readText(stream: IncomingMessage): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  try {
    yield* stream;
  } catch {
    // Cut off: the end like any other.
  }
}

/** Reads the data of a frame; `undefined` for nonsense and for the API key's entry. */
export function readEvent(data: string): RemoteEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.type !== "string") return undefined;
  const { type, time, logs } = value;
  if (isRecord(value.instance) && value.instance.id === keyInstanceId) return undefined;
  const instance = readInstance(value.instance);
  if (instance === undefined && type !== "shutdown") return undefined;
  return {
    type,
    time: typeof time === "string" ? time : "",
    instance,
    logs: typeof logs === "string" ? logs : "",
  };
}
