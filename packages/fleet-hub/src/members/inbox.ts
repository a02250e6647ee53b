import type { Msg, Subscription } from "@nats-io/nats-core";
import { headers } from "@nats-io/nats-core";
import {
  answerContext,
  BAD_MESSAGE,
  type BoxId,
  boxIdOf,
  DoneSchema,
  HeartbeatSchema,
  LeaseRequestSchema,
  MemberEventSchema,
  memberInbox,
  memberOf,
  memberSubjects,
  openMessage,
  REFUSAL_HEADER,
  type Sync,
  type Synced,
  SyncSchema,
  sealMessage,
  unpackMessage,
} from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import type { z } from "zod";
import type { EngineLink } from "../engine/engine-link.ts";
import type { LivePresence } from "./live-presence.ts";
import type { MemberBoxes } from "./member-boxes.ts";
import type { MemberBudget } from "./member-budget.ts";
import type { BadMessagePlace, MessageCounts } from "./message-counts.ts";
import type { Messenger } from "./messenger.ts";
import type { SaidNow } from "./said-now.ts";

/** A heartbeat at most, bytes: anybody who runs the engine can send one. */
const MAX_HEARTBEAT_BYTES = 1024;
/** Queue group of the hubs that answer syncs. */
const SYNC_QUEUE = "hubs";
/** Syncs that are kept opened until their second copy comes, and for how long, ms: most hubs get none. */
const MAX_OPENED = 512;
const KEEP_OPENED_MS = 10_000;

/** What members say by themselves. */
export interface InboxOptions {
  readonly fleet: string;
  readonly link: EngineLink;
  readonly boxes: MemberBoxes;
  readonly presence: LivePresence;
  readonly budget: MemberBudget;
  readonly counts: MessageCounts;
  readonly logger: Logger;
  /** Answers a sync; each hub learns from all of them, one answers. */
  readonly answerSync: (mid: string, sync: Sync) => Synced;
  /** Nonce of this hub's run. */
  readonly run: string;
  /** Nonces of all hubs' runs, this one's first. */
  readonly runs: () => readonly string[];
  readonly saidNow: SaidNow;
  /** May this process of a member be heard: it is no removed member, no second process. */
  readonly isWelcome: (mid: string, session: string) => boolean;
  readonly onHeartbeat: (
    mid: string,
    session: string,
    heard: ReturnType<LivePresence["heartbeat"]>,
  ) => void;
}

interface OpenedSync {
  readonly sync: Sync;
  readonly id: BoxId;
  /** It was made for this hub's run. */
  readonly isNow: boolean;
  /** When it came: monotonic, ms. */
  readonly at: number;
}

/** The ends at which what members say comes in. */
export type Inbox = Pick<Messenger, "onDone" | "onEvent" | "onLease"> & { close(): void };

/** Subscribes to all that members say. What can't be read is counted, dropped and, if it asks, refused. */
export function openInbox(options: InboxOptions): Inbox {
  const { fleet, link, boxes, presence, budget, counts, logger, run, saidNow } = options;
  const doneListeners = new Set<Parameters<Messenger["onDone"]>[0]>();
  const eventListeners = new Set<Parameters<Messenger["onEvent"]>[0]>();
  let answerLease: Parameters<Messenger["onLease"]>[0] | undefined;
  const opened = new Map<string, OpenedSync>();
  let forgetting: NodeJS.Timeout | undefined;
  const subscriptions: Subscription[] = [];
  const all = memberSubjects(fleet, "*");

  const subscribe = (
    subject: string,
    place: BadMessagePlace,
    take: (mid: string, message: Msg) => void,
    queue?: string,
  ) => {
    // Whatever is thrown here would end the client's reader, and with it the connection.
    const callback = (error: Error | null, message: Msg) => {
      if (error !== null) return;
      const mid = memberOf(message.subject);
      if (mid === undefined) return;
      // Nobody waits for who says too much, so it is not told either.
      if (boxes.of(mid) !== undefined && !mayBeHeard(mid, place, message.data)) {
        counts.bad[place] += 1;
        return;
      }
      try {
        take(mid, message);
      } catch (failure) {
        counts.bad[place] += 1;
        logger.debug({ mid, place, error: String(failure) }, "a message can't be read");
        refuse(mid, message);
      }
    };
    subscriptions.push(
      link.connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue }),
    );
  };

  const mayBeHeard = (mid: string, place: BadMessagePlace, data: Uint8Array) => {
    // The second copy of a sync is the hubs' own doing.
    if (place === "sync" && isOpened(mid, data)) return true;
    return budget.take(mid, data.byteLength, place === "event" ? "events" : "words");
  };

  const isOpened = (mid: string, data: Uint8Array) => {
    try {
      return opened.has(keyOf(mid, boxIdOf(data)));
    } catch {
      // No box at all.
      return false;
    }
  };

  const open = <Schema extends z.ZodType>(mid: string, schema: Schema, message: Msg) => {
    const box = boxes.of(mid);
    if (box === undefined) throw new Error("no member");
    return openMessage(box, message.subject, schema, message.data);
  };

  const answer = (mid: string, message: Msg, id: BoxId, body: unknown) => {
    const box = boxes.of(mid);
    if (box === undefined || !isRequest(mid, message)) return;
    const sealed = sealMessage(box, message.subject, body, answerContext(id));
    link.connection.publish(message.reply, sealed);
  };

  const openSync = (mid: string, message: Msg) => {
    const key = keyOf(mid, boxIdOf(message.data));
    const known = opened.get(key);
    if (known !== undefined) {
      opened.delete(key);
      return known;
    }
    const { message: sync, id } = open(mid, SyncSchema, message);
    counts.syncs += 1;
    // Of a member of before: it can't know.
    const isNamed = sync.runs === undefined || sync.runs.includes(run);
    const made = { sync, id, isNow: saidNow.hear(mid, id, isNamed), at: performance.now() };
    opened.set(key, made);
    forgetting ??= setTimeout(forgetOpened, KEEP_OPENED_MS).unref();
    const [oldest] = opened.keys();
    if (opened.size > MAX_OPENED && oldest !== undefined) opened.delete(oldest);
    if (made.isNow && options.isWelcome(mid, sync.session)) presence.synced(mid, sync);
    return made;
  };

  function forgetOpened(): void {
    const now = performance.now();
    for (const [key, { at }] of opened) {
      if (at + KEEP_OPENED_MS > now) break;
      opened.delete(key);
    }
    forgetting = opened.size > 0 ? setTimeout(forgetOpened, KEEP_OPENED_MS).unref() : undefined;
  }

  subscribe(all.heartbeat, "heartbeat", (mid, message) => {
    if (message.data.byteLength > MAX_HEARTBEAT_BYTES) throw new Error("too long");
    const heartbeat = unpackMessage(HeartbeatSchema, message.data);
    if (boxes.of(mid) === undefined || !options.isWelcome(mid, "")) return;
    options.onHeartbeat(mid, heartbeat.s, presence.heartbeat(mid, heartbeat));
  });
  // Every hub learns what a member runs; one of them answers it.
  subscribe(all.sync, "sync", (mid, message) => {
    openSync(mid, message);
  });
  subscribe(
    all.sync,
    "sync",
    (mid, message) => {
      const { sync, id, isNow } = openSync(mid, message);
      const body: Synced = isNow
        ? options.answerSync(mid, sync)
        : { answer: "again", runs: [...options.runs()] };
      if (body.answer === "busy") counts.busy += 1;
      answer(mid, message, id, body);
    },
    SYNC_QUEUE,
  );
  subscribe(all.lease, "lease", (mid, message) => {
    const { message: request, id } = open(mid, LeaseRequestSchema, message);
    if (!options.isWelcome(mid, request.session)) return;
    // No request that somebody has kept: that must neither look like life nor be given anything.
    const isNow = saidNow.hear(mid, id, request.hub === run);
    if (isNow) presence.sealedWord(mid);
    const lease = answerLease?.(mid, isNow ? request : { ...request, parts: [] });
    if (lease !== undefined) answer(mid, message, id, { ...lease, hub: run });
  });
  subscribe(all.done, "done", (mid, message) => {
    const { message: done, id } = open(mid, DoneSchema, message);
    // What it has to say it says again, when it syncs and when it is told what it has to do.
    if (!saidNow.hear(mid, id, false)) return;
    presence.reported(mid, done.reports);
    for (const listener of doneListeners) listener(mid, done);
  });
  subscribe(all.event, "event", (mid, message) => {
    if (eventListeners.size === 0) return;
    const { message: event, id } = open(mid, MemberEventSchema, message);
    // Of a process that is gone, kept by who runs the engine, or of a second one.
    if (id.sender !== presence.facts(mid).session) return;
    for (const listener of eventListeners) listener(mid, event);
  });

  return {
    onDone: (listener) => {
      doneListeners.add(listener);
      return () => doneListeners.delete(listener);
    },
    onEvent: (listener) => {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
    },
    onLease: (listener) => {
      answerLease = listener;
      return () => {
        if (answerLease === listener) answerLease = undefined;
      };
    },
    close: () => {
      clearTimeout(forgetting);
      for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
    },
  };

  function refuse(mid: string, message: Msg): void {
    if (!isRequest(mid, message)) return;
    const refusal = headers();
    refusal.set(REFUSAL_HEADER, BAD_MESSAGE);
    try {
      link.connection.publish(message.reply, undefined, { headers: refusal });
    } catch (error) {
      // The connection is closed, or the place of the answer is none.
      logger.debug({ error: String(error) }, "a message can't be refused");
    }
  }
}

function keyOf(mid: string, { sender, counter }: BoxId): string {
  return `${mid}/${sender}/${counter}`;
}

/**
 * Whether somebody waits for an answer, and where a member may. The engine lets its clients write any
 * subject there, and a hub may publish to all of them: an empty answer to one of JetStream's own
 * (`$JS.API.STREAM.DELETE.…`) would delete the store.
 */
function isRequest(mid: string, message: Msg): message is Msg & { readonly reply: string } {
  return message.reply?.startsWith(`${memberInbox(mid)}.`) === true;
}
