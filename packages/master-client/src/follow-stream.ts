import { createParser } from "eventsource-parser";
import { MasterClientError } from "./client-error.ts";
import type { OpenAnswer } from "./exchange.ts";
import { sleep } from "./sleep.ts";

/** How any event stream is followed, over as many connections as it takes. */
export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** A stream is open; called for each. */
  readonly onOpen?: (() => void) | undefined;
  /** The stream broke, and is opened again after a while. */
  readonly onLost?: ((reason: string, waitMs: number) => void) | undefined;
  /** First wait before a stream is opened again; it doubles up to thirty times that. @default 500 */
  readonly firstWaitMs?: number | undefined;
  /** Chooses a wait between half of it and all of it. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** Which stream. */
export interface StreamSource {
  open(signal: AbortSignal): Promise<OpenAnswer>;
  /** Is given the data of each frame. @returns whether it meant something */
  onData(data: string): boolean;
  /** Before a stream that was opened again is read. */
  beforeAgain?(): Promise<void>;
}

/** A frame beyond this is none of a master's, in characters: theirs stay below 64 Ki. */
const maxFrameCharacters = 1024 * 1024;
const maxWaitFactor = 30;

/**
 * Follows a stream until the signal ends it.
 *
 * @throws {MasterClientError} if the first connection fails, or the key is refused later
 */
export async function followStream(source: StreamSource, options: FollowOptions): Promise<void> {
  const { signal, firstWaitMs = 500, random = Math.random } = options;
  let stream = await openUnlessAborted(source, signal);
  let waitMs = firstWaitMs;
  let isFirst = true;
  while (!signal.aborted) {
    let reason = "the stream ended";
    try {
      stream ??= await openUnlessAborted(source, signal);
      if (stream !== undefined && !isFirst) await source.beforeAgain?.();
    } catch (error) {
      stream?.close();
      stream = undefined;
      if (!isPassing(error)) throw error;
      reason = error.message;
    }
    if (stream !== undefined) {
      isFirst = false;
      options.onOpen?.();
      if (await readStream(stream, signal, (data) => source.onData(data))) waitMs = firstWaitMs;
      stream = undefined;
    }
    if (signal.aborted) return;
    const thisWaitMs = Math.round(waitMs * (0.5 + random() / 2));
    options.onLost?.(reason, thisWaitMs);
    await sleep(thisWaitMs, signal);
    waitMs = Math.min(waitMs * 2, firstWaitMs * maxWaitFactor);
  }
}

/** Whether who worked may come back: it is away, starts, or has too many readers. */
function isPassing(error: unknown): error is MasterClientError {
  return (
    error instanceof MasterClientError && (error.code === "UNREACHABLE" || error.code === "REFUSED")
  );
}

async function openUnlessAborted(
  source: StreamSource,
  signal: AbortSignal,
): Promise<OpenAnswer | undefined> {
  try {
    return await source.open(signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Reads one stream to its end, however it ends. @returns whether an event came */
async function readStream(
  { response, close }: OpenAnswer,
  signal: AbortSignal,
  onData: (data: string) => boolean,
): Promise<boolean> {
  let seen = false;
  let isTooLong = false;
  const parser = createParser({
    maxBufferSize: maxFrameCharacters,
    onEvent: ({ data }) => {
      if (!signal.aborted && onData(data)) seen = true;
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
