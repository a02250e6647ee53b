import { KEY_INSTANCE_ID } from "@nodepass/model";
import { createParser } from "eventsource-parser";
import { MasterClientError } from "./client-error.ts";
import type { OpenAnswer } from "./exchange.ts";
import type { MasterClient } from "./master-client.ts";
import { isRecord, type RemoteInstance, readInstance } from "./remote-instance.ts";
import { sleep } from "./sleep.ts";

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
  /**
   * After a stream was lost, tell `delete` of the instances that went meanwhile: streams begin with
   * those that are there and say nothing of the rest. @default true
   */
  readonly resume?: boolean | undefined;
  /** Chooses a wait between half of it and all of it. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** A frame beyond this is none of a master's, in characters: theirs stay below 64 Ki. */
const maxFrameCharacters = 1024 * 1024;
const maxWaitFactor = 30;

/**
 * Follows the event stream until the signal ends it, over as many connections as it takes. Each
 * begins with an `initial` for every instance, so no state is missed in between.
 *
 * @throws {MasterClientError} if the first connection fails, or the master refuses the key later
 * @example
 * await followEvents(client, { signal, onEvent: ({ type, instance }) => console.log(type, instance?.id) });
 */
export async function followEvents(
  client: MasterClient,
  options: FollowEventsOptions,
): Promise<void> {
  const { signal, firstWaitMs = 500, random = Math.random } = options;
  const known = new KnownInstances(options.onEvent);
  let stream = await openUnlessAborted(client, signal);
  let waitMs = firstWaitMs;
  let isFirst = true;
  while (!signal.aborted) {
    let reason = "the stream ended";
    try {
      stream ??= await openUnlessAborted(client, signal);
      if (stream !== undefined && !isFirst && options.resume !== false) {
        await known.forgetMissing(client, signal);
      }
    } catch (error) {
      stream?.close();
      stream = undefined;
      if (!isPassing(error)) throw error;
      reason = error.message;
    }
    if (stream !== undefined) {
      isFirst = false;
      options.onOpen?.();
      if (await readStream(stream, signal, (event) => known.tell(event))) waitMs = firstWaitMs;
      stream = undefined;
    }
    if (signal.aborted) return;
    const thisWaitMs = Math.round(waitMs * (0.5 + random() / 2));
    options.onLost?.(reason, thisWaitMs);
    await sleep(thisWaitMs, signal);
    waitMs = Math.min(waitMs * 2, firstWaitMs * maxWaitFactor);
  }
}

/** The instances that a follower has been told of. */
class KnownInstances {
  readonly #instances = new Map<string, RemoteInstance>();
  readonly #onEvent: (event: RemoteEvent) => void;

  constructor(onEvent: (event: RemoteEvent) => void) {
    this.#onEvent = onEvent;
  }

  tell(event: RemoteEvent): void {
    const { type, instance } = event;
    if (instance !== undefined && type === "delete") this.#instances.delete(instance.id);
    else if (instance !== undefined) this.#instances.set(instance.id, instance);
    this.#onEvent(event);
  }

  /** Tells the end of those that the master does not have any more. */
  async forgetMissing(client: MasterClient, signal: AbortSignal): Promise<void> {
    if (this.#instances.size === 0) return;
    const there = new Set((await client.list()).map(({ id }) => id));
    if (signal.aborted) return;
    const time = new Date().toISOString();
    for (const [id, instance] of this.#instances) {
      if (!there.has(id)) this.tell({ type: "delete", time, instance, logs: "" });
    }
  }
}

/** Whether a master that worked may come back: it is away, starts, or has too many readers. */
function isPassing(error: unknown): error is MasterClientError {
  return (
    error instanceof MasterClientError && (error.code === "UNREACHABLE" || error.code === "REFUSED")
  );
}

async function openUnlessAborted(
  client: MasterClient,
  signal: AbortSignal,
): Promise<OpenAnswer | undefined> {
  try {
    return await client.openEvents(signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Reads one stream to its end, however it ends. @returns whether an event came */
async function readStream(
  { response, close }: OpenAnswer,
  signal: AbortSignal,
  onEvent: (event: RemoteEvent) => void,
): Promise<boolean> {
  let seen = false;
  let isTooLong = false;
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
      if (type === "max-buffer-size-exceeded") isTooLong = true;
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined && !signal.aborted && !isTooLong) {
      const { done, value } = await readChunk(reader);
      if (done || value === undefined) break;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    close();
  }
  return seen;
}

interface Chunk {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}

async function readChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Chunk> {
  try {
    return await reader.read();
  } catch {
    // Cut off: the end like any other.
    return { done: true };
  }
}

/**
 * Reads the data of a frame; `undefined` for nonsense and for the API key's entry.
 *
 * @example
 * readEvent('{"type":"shutdown","time":"2026-01-02T03:04:05Z","instance":null,"logs":""}');
 */
export function readEvent(data: string): RemoteEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.type !== "string") return undefined;
  const { type, time, logs } = value;
  if (isRecord(value.instance) && value.instance.id === KEY_INSTANCE_ID) return undefined;
  const instance = readInstance(value.instance);
  if (instance === undefined && type !== "shutdown") return undefined;
  return {
    type,
    time: typeof time === "string" ? time : "",
    instance,
    logs: typeof logs === "string" ? logs : "",
  };
}
