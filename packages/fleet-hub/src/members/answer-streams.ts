import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import {
  type Chunk,
  ChunkSchema,
  MAX_CHUNK_BYTES,
  MAX_MEMBER_STREAMS,
  openMessage,
} from "@nodepass/fleet-protocol";
import { type Logger, ServiceError } from "@nodepass/model";
import type { MemberBoxes } from "./member-boxes.ts";
import type { MessageCounts } from "./message-counts.ts";
import { MAX_HUB_STREAMS } from "./messenger.ts";

/** What streams of answers are made of. */
export interface AnswerStreamsOptions {
  readonly boxes: MemberBoxes;
  readonly counts: MessageCounts;
  readonly logger: Logger;
  /** Tells a member that nobody reads a stream of its any more. */
  readonly cancel: (mid: string, id: string) => void;
}

/** Answers of members that come in pieces, each by a subject of its own. */
export interface AnswerStreams {
  /** Listens from before the question on: the first piece may come with the answer. */
  expect(
    mid: string,
    id: string,
    by: {
      readonly connection: NatsConnection;
      readonly subject: string;
      readonly onChunk: (chunk: Chunk) => void;
    },
  ): void;
  /**
   * The answer has said that it comes in pieces: it counts from now on.
   *
   * @throws {ServiceError} `LIMIT_REACHED`: it is cancelled
   */
  open(mid: string, id: string): void;
  /** Listens no more. @returns whether it did */
  forget(mid: string, id: string): boolean;
  /** Ends all of them; their readers hear why. */
  breakAll(reason: string): void;
}

interface Stream {
  readonly subscription: Subscription;
  readonly onChunk: (chunk: Chunk) => void;
  next: number;
  /** It counts against the limits: the answer said so. */
  isOpen: boolean;
}

export function createAnswerStreams(options: AnswerStreamsOptions): AnswerStreams {
  const { boxes, counts, logger, cancel } = options;
  const streams = new Map<string, Map<string, Stream>>();

  const forget = (mid: string, id: string): boolean => {
    const own = streams.get(mid);
    const stream = own?.get(id);
    if (stream === undefined) return false;
    stream.subscription.unsubscribe();
    own?.delete(id);
    if (own?.size === 0) streams.delete(mid);
    return true;
  };

  const breakOff = (mid: string, id: string, reason: string) => {
    const stream = streams.get(mid)?.get(id);
    if (stream === undefined) return;
    forget(mid, id);
    stream.onChunk({ n: stream.next, data: new Uint8Array(0), end: true, error: reason });
  };

  const take = (mid: string, id: string, subject: string, message: Msg) => {
    const stream = streams.get(mid)?.get(id);
    const box = boxes.of(mid);
    if (stream === undefined || box === undefined) return;
    let chunk: Chunk;
    try {
      chunk = openMessage(box, subject, ChunkSchema, message.data).message;
    } catch {
      counts.bad.chunk += 1;
      return;
    }
    if (chunk.n !== stream.next || chunk.data.byteLength > MAX_CHUNK_BYTES) {
      counts.bad.chunk += 1;
      cancel(mid, id);
      breakOff(mid, id, "a piece of the answer was lost on the way");
      return;
    }
    stream.next += 1;
    if (chunk.end || chunk.error !== "") forget(mid, id);
    try {
      stream.onChunk(chunk);
    } catch (failure) {
      // It would end the client's reader, and with it the connection.
      forget(mid, id);
      logger.error({ mid, error: String(failure) }, "a reader of a stream has failed");
    }
  };

  /** @param mid of one member; `undefined`: of all */
  const countOpen = (mid: string | undefined) => {
    let open = 0;
    for (const [owner, own] of streams) {
      if (mid !== undefined && owner !== mid) continue;
      for (const { isOpen } of own.values()) if (isOpen) open += 1;
    }
    return open;
  };

  return {
    expect: (mid, id, { connection, subject, onChunk }) => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) take(mid, id, subject, message);
        },
      });
      const own = streams.get(mid) ?? new Map<string, Stream>();
      streams.set(mid, own.set(id, { subscription, onChunk, next: 0, isOpen: false }));
    },
    open: (mid, id) => {
      if (countOpen(mid) >= MAX_MEMBER_STREAMS || countOpen(undefined) >= MAX_HUB_STREAMS) {
        forget(mid, id);
        cancel(mid, id);
        const limit = `${MAX_MEMBER_STREAMS} streams of a master and ${MAX_HUB_STREAMS} of a hub`;
        throw new ServiceError("LIMIT_REACHED", `no more than ${limit} at once`);
      }
      const stream = streams.get(mid)?.get(id);
      // A short one may be over already.
      if (stream !== undefined) stream.isOpen = true;
    },
    forget,
    breakAll: (reason) => {
      for (const [mid, own] of [...streams]) {
        for (const id of [...own.keys()]) breakOff(mid, id, reason);
      }
    },
  };
}
