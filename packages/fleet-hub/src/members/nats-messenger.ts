import type { Msg } from "@nats-io/nats-core";
import {
  ApiAnswerSchema,
  AppliedSchema,
  answerContext,
  type Box,
  boxIdOf,
  MAX_CHUNK_BYTES,
  MAX_MEMBER_REQUESTS,
  type MemberSubjects,
  memberSubjects,
  openMessage,
  PASS_TIMEOUT_MS,
  PreparedSchema,
  REFUSAL_HEADER,
  sealMessage,
  sessionContext,
} from "@nodepass/fleet-protocol";
import { type Logger, ServiceError } from "@nodepass/model";
import type { z } from "zod";
import type { EngineLink } from "../engine/engine-link.ts";
import { createAnswerStreams } from "./answer-streams.ts";
import { ByteGate } from "./byte-gate.ts";
import type { LivePresence } from "./live-presence.ts";
import type { MemberBoxes } from "./member-boxes.ts";
import type { MemberBudget } from "./member-budget.ts";
import type { MessageCounts } from "./message-counts.ts";
import type { Messenger } from "./messenger.ts";
import { unavailable } from "./why-unavailable.ts";

/**
 * Bodies of requests on their way to one member at once, bytes. The engine holds 16 MiB for a connection and gives
 * each write 5 s, then it cuts it: what a slow line, or several hubs, could not take has to wait here.
 */
export const MAX_BYTES_UNDER_WAY = 1_048_576;
/** Longest wait for a word of a member that does it at once, ms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** The member, which waits for its own API so long, says so itself before it is given up here, ms. */
const LATER_THAN_MEMBER_MS = 2000;
/** Who has a seat and lives answers within this, ms. */
const SEAT_ANSWER_MS = 3000;
/** A whole body, and as much again for what HTTP puts before it; reports of 500 parts may be longer. */
const MAX_ANSWER_BYTES = 2 * MAX_CHUNK_BYTES;
/** What can be asked of any member, whatever it allows, and changes nothing. */
const NOTHING = { url: "", key: null };

/** What a messenger is made of. */
export interface MessengerOptions {
  readonly fleet: string;
  readonly link: EngineLink;
  readonly boxes: MemberBoxes;
  readonly presence: LivePresence;
  /** What people call a master; `undefined`: only by its mid. */
  readonly nameOf: (mid: string) => string | undefined;
  readonly budget: Pick<MemberBudget, "take">;
  readonly counts: MessageCounts;
  readonly logger: Logger;
}

/** What hubs say to members; what members say by themselves comes in by `Inbox`. */
export type Outbox = Omit<Messenger, "onDone" | "onEvent" | "onLease"> & {
  /**
   * Whether the process that has a member's seat answers, now. A sync does not show that: who runs the
   * engine may have kept it, and hubs that have begun since do not know that it was sent before.
   *
   * @throws {ServiceError} `UNAVAILABLE`; whatever the connection ends with
   */
  isThere(mid: string): Promise<boolean>;
  close(): void;
};

/** Sends requests in boxes and opens their answers; everything in flight is bounded. */
export function createOutbox(options: MessengerOptions): Outbox {
  const { fleet, link, boxes, presence, budget, counts, logger } = options;
  // What people pass on takes nothing from what hubs themselves want of a member.
  const inFlight = { api: new Map<string, number>(), orders: new Map<string, number>() };
  const gate = new ByteGate(MAX_BYTES_UNDER_WAY);

  const called = (mid: string) => `master ${options.nameOf(mid) || mid}`;

  const roadTo = (mid: string) => {
    const connection = link.demand();
    const box = boxes.of(mid);
    const { session } = presence.facts(mid);
    if (box === undefined) throw new ServiceError("NOT_FOUND", `${called(mid)} is not a member`);
    if (session === undefined) {
      const text = `${called(mid)} has not been heard of since this hub began`;
      throw new ServiceError("UNAVAILABLE", text);
    }
    return { connection, box, session, subjects: memberSubjects(fleet, mid) };
  };

  const begin = (mid: string, what: keyof typeof inFlight) => {
    const counted = inFlight[what];
    const count = counted.get(mid) ?? 0;
    if (count >= MAX_MEMBER_REQUESTS) {
      const limit = `${MAX_MEMBER_REQUESTS} requests to ${called(mid)} are in flight`;
      throw new ServiceError("LIMIT_REACHED", limit);
    }
    counted.set(mid, count + 1);
    return () => {
      const left = (counted.get(mid) ?? 1) - 1;
      if (left === 0) counted.delete(mid);
      else counted.set(mid, left);
    };
  };

  const send = async <Schema extends z.ZodType>(
    mid: string,
    kind: "apply" | "prepare" | "api",
    schema: Schema,
    message: unknown,
    timeoutMs: number,
  ): Promise<z.output<Schema>> => {
    const { connection, box, session, subjects } = roadTo(mid);
    try {
      const subject = subjects[kind];
      const sealed = sealMessage(box, subject, message, sessionContext(session));
      const answer = await connection.request(subject, sealed, { timeout: timeoutMs });
      return openAnswer(mid, box, subject, schema, sealed, answer);
    } catch (error) {
      throw unavailable(called(mid), presence.facts(mid), error);
    }
  };

  const ask = async <Schema extends z.ZodType>(
    mid: string,
    kind: "apply" | "prepare",
    schema: Schema,
    message: unknown,
    timeoutMs: number,
  ): Promise<z.output<Schema>> => {
    const done = begin(mid, "orders");
    try {
      return await send(mid, kind, schema, message, timeoutMs);
    } finally {
      done();
    }
  };

  /** A request, when those before it have left room on the road. */
  const pass = async (
    mid: string,
    message: Parameters<Outbox["api"]>[1],
    signal: AbortSignal | undefined,
  ) => {
    const until = performance.now() + PASS_TIMEOUT_MS + LATER_THAN_MEMBER_MS;
    const done = begin(mid, "api");
    try {
      const wait = { timeoutMs: PASS_TIMEOUT_MS, signal };
      const arrived = await gate.enter(mid, message.body.byteLength, wait);
      try {
        return await send(mid, "api", ApiAnswerSchema, message, until - performance.now());
      } finally {
        arrived();
      }
    } finally {
      done();
    }
  };

  const openAnswer = <Schema extends z.ZodType>(
    mid: string,
    box: Box,
    subject: string,
    schema: Schema,
    sealed: Uint8Array,
    answer: Msg,
  ): z.output<Schema> => {
    const refusal = answer.headers?.get(REFUSAL_HEADER) ?? "";
    if (refusal !== "") {
      throw new ServiceError(
        "UNAVAILABLE",
        `${called(mid)} did not take the request: ${refusal.slice(0, 100)}`,
      );
    }
    try {
      // No honest one's is so long. Whoever asks again and again would have the hub drowned in them.
      if (answer.data.byteLength > MAX_ANSWER_BYTES && !budget.take(mid, answer.data.byteLength)) {
        throw new Error("too long");
      }
      const context = answerContext(boxIdOf(sealed));
      const { message } = openMessage(box, subject, schema, answer.data, context);
      presence.sealedWord(mid);
      return message;
    } catch (error) {
      counts.bad.answer += 1;
      const text = `${called(mid)} answered what can't be read`;
      throw new ServiceError("UNAVAILABLE", text, { cause: error });
    }
  };

  const tell = (mid: string, kind: keyof Omit<MemberSubjects, "stream">, message: unknown) => {
    try {
      const { connection, box, session, subjects } = roadTo(mid);
      const subject = subjects[kind];
      connection.publish(subject, sealMessage(box, subject, message, sessionContext(session)));
    } catch (error) {
      // It gets no answer anyway; what must arrive is sent again by who wants it.
      logger.debug({ mid, kind, error: String(error) }, "a member can't be told");
    }
  };

  const cancel = (mid: string, id: string) =>
    tell(mid, "credit", { stream: id, bytes: 0, cancel: true });
  const streams = createAnswerStreams({ boxes, counts, logger, cancel });

  const api: Outbox["api"] = async (mid, message, onChunk, signal) => {
    signal?.throwIfAborted();
    const { connection, subjects } = roadTo(mid);
    const { stream: id } = message;
    streams.expect(mid, id, { connection, subject: subjects.stream(id), onChunk });
    const isLate = () => {
      streams.forget(mid, id);
      cancel(mid, id);
    };
    try {
      const asked = pass(mid, message, signal);
      const answer = await (signal === undefined ? asked : raced(asked, signal, isLate));
      if (answer.streamed) streams.open(mid, id);
      else streams.forget(mid, id);
      return answer;
    } catch (error) {
      streams.forget(mid, id);
      throw error;
    }
  };

  const unlisten = link.onChange((connected) => {
    if (!connected) streams.breakAll("the engine is gone");
  });

  const isThere: Outbox["isThere"] = async (mid) => {
    const { connection, box, session, subjects } = roadTo(mid);
    const subject = subjects.prepare;
    const sealed = sealMessage(box, subject, NOTHING, sessionContext(session));
    const context = answerContext(boxIdOf(sealed));
    // A second process answers, too: it can't read what is not sealed for it, and says so.
    const answers = await connection.requestMany(subject, sealed, {
      strategy: "timer",
      maxWait: SEAT_ANSWER_MS,
    });
    for await (const answer of answers) {
      try {
        openMessage(box, subject, PreparedSchema, answer.data, context);
        presence.sealedWord(mid);
        return true;
      } catch {
        // That of another one.
      }
    }
    return false;
  };

  return {
    isThere,
    apply: (mid, message, timeoutMs = ANSWER_TIMEOUT_MS) =>
      ask(mid, "apply", AppliedSchema, message, timeoutMs),
    prepare: (mid, message, timeoutMs = ANSWER_TIMEOUT_MS) =>
      ask(mid, "prepare", PreparedSchema, message, timeoutMs),
    api,
    closeStream: (mid, id) => {
      if (streams.forget(mid, id)) cancel(mid, id);
    },
    credit: (mid, message) => tell(mid, "credit", message),
    watch: (mid, message) => tell(mid, "watch", message),
    evict: (mid, message) => tellSession(mid, "evict", message.session, message),
    resync: (mid, message) => tellSession(mid, "resync", message.session, message),
    close: () => {
      unlisten();
      streams.breakAll("the hub ends");
    },
  };

  /** To a certain process of a member, which need not be the one that has the seat. */
  function tellSession(
    mid: string,
    kind: "evict" | "resync",
    session: string,
    message: unknown,
  ): void {
    const box = boxes.of(mid);
    if (box === undefined || !link.isConnected()) return;
    const subject = memberSubjects(fleet, mid)[kind];
    try {
      const sealed = sealMessage(box, subject, message, sessionContext(session));
      link.connection.publish(subject, sealed);
    } catch (error) {
      // A heartbeat's nonce that is none: whoever sent it hears nothing.
      logger.debug({ mid, kind, error: String(error) }, "a member can't be told");
    }
  }
}

/** @param late what is done when the answer comes after all */
async function raced<Result>(
  asked: Promise<Result>,
  signal: AbortSignal,
  late: () => void,
): Promise<Result> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      asked.then(late, () => undefined);
      reject(new ServiceError("UNAVAILABLE", "nobody waits for the answer any more"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
