import type { Subscription } from "@nats-io/nats-core";
import {
  hubSubjects,
  openAtRest,
  PartReportSchema,
  packMessage,
  sealAtRest,
  unpackMessage,
} from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import { ALARMS, PART_ROLES } from "@nodepass/model/fleet";
import { z } from "zod";
import type { EngineLink } from "../engine/engine-link.ts";
import type { MessageCounts } from "../members/message-counts.ts";

/** Runs of other hubs that are remembered, and that are told to members. */
const MAX_HUBS = 15;
/** Another hub is told of this one so often at most, ms. */
const HELLO_MS = 500;

const hub = z.string().max(64);
const hubs = z.array(hub).max(64);
const EnvelopeSchema = z.object({ n: z.int().min(1), notice: z.unknown() });
const NoticeSchema = z.discriminatedUnion("kind", [
  /**
   * That it is there. Only what a hub says after it has named the run of who reads it (`heard`) is
   * taken: who runs the engine may have kept the rest since before that one began. `known`: those that
   * have named this hub, and are taken by it.
   */
  z.object({ kind: z.literal("hello"), hub, heard: hubs, known: hubs }),
  z.object({
    kind: z.literal("failover"),
    hub,
    sid: z.string(),
    part: z.enum(PART_ROLES),
    from: z.string().nullable(),
    to: z.string().nullable(),
    message: z.string(),
  }),
  z.object({
    kind: z.literal("alarm"),
    hub,
    alarm: z.enum(ALARMS),
    raised: z.boolean(),
    message: z.string(),
  }),
  /** What a member answered to one hub. */
  z.object({
    kind: z.literal("reports"),
    hub,
    mid: z.string(),
    reports: z.array(PartReportSchema).max(500),
  }),
  /** It floods: no hub gives it another JWT for a while. */
  z.object({ kind: z.literal("cut"), hub, mid: z.string() }),
  /** A person ends the hold on failovers. */
  z.object({ kind: z.literal("resume"), hub }),
]);

/** What hubs tell each other, and no bucket holds. */
export type Notice = z.infer<typeof NoticeSchema>;
/** What others than the channel itself have to do with. */
export type News = Exclude<Notice, { kind: "hello" }>;
type Unsigned<One> = One extends Notice ? Omit<One, "hub"> : never;

/** The hubs' own channel; section 5's "notices". */
export interface Notices {
  /** To the other hubs; what can't be sent now is not sent later. */
  publish(notice: Unsigned<News>): void;
  /** Told what other hubs say. @returns ends it */
  on(listener: (notice: News) => void): () => void;
  /** Runs of other hubs that were heard and are taken, the newest first. */
  hubs(): readonly string[];
  close(): void;
}

/** Sealed with the fleet's data key, which only hubs have. @param id of this hub's process */
export function openNotices(options: {
  readonly fleet: string;
  readonly id: string;
  readonly link: EngineLink;
  readonly dataKeys: readonly Uint8Array[];
  readonly counts: MessageCounts;
  readonly logger: Logger;
}): Notices {
  const { fleet, id, link, dataKeys, counts, logger } = options;
  const { notices: subject } = hubSubjects(fleet);
  const listeners = new Set<(notice: News) => void>();
  const [dataKey] = dataKeys;
  let sent = 0;
  /** By hub's run, the last that was heard: who runs the engine may keep one and bring it again. */
  const heard = new Map<string, { readonly n: number; readonly isKnown: boolean }>();
  const helloAt = new Map<string, number>();
  const put = <Value>(map: Map<string, Value>, key: string, value: Value) => {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > MAX_HUBS && oldest !== undefined) map.delete(oldest);
  };
  const known = () => [...heard].filter(([, { isKnown }]) => isKnown).map(([one]) => one);
  const send = (notice: Unsigned<Notice>) => {
    if (!link.isConnected() || dataKey === undefined) return;
    sent += 1;
    const body = packMessage({ n: sent, notice: { ...notice, hub: id } });
    link.connection.publish(subject, sealAtRest(dataKey, subject, body));
  };
  const hello = () => send({ kind: "hello", heard: [...heard.keys()], known: known() });
  const answerHello = (to: string) => {
    const now = performance.now();
    if (now - (helloAt.get(to) ?? Number.NEGATIVE_INFINITY) < HELLO_MS) return;
    put(helloAt, to, now);
    hello();
  };
  /** @returns what listeners are to hear */
  const take = (n: number, notice: Notice): News | undefined => {
    const before = heard.get(notice.hub);
    if (n <= (before?.n ?? 0)) throw new Error("repeated");
    const isHello = notice.kind === "hello";
    const isKnown = before?.isKnown === true || (isHello && notice.heard.includes(id));
    put(heard, notice.hub, { n, isKnown });
    // It has to hear that this one is there, or to say that it has.
    if (!isKnown || (isHello && !notice.known.includes(id))) answerHello(notice.hub);
    return isHello || !isKnown ? undefined : notice;
  };
  const unlisten = link.onChange((connected) => {
    if (connected) hello();
  });
  const subscription: Subscription = link.connection.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) return;
      let news: News | undefined;
      try {
        const bytes = openAtRest(dataKeys, subject, message.data);
        const envelope = unpackMessage(EnvelopeSchema, bytes);
        const notice = NoticeSchema.parse(envelope.notice);
        if (notice.hub === id) return;
        news = take(envelope.n, notice);
      } catch {
        counts.bad.notice += 1;
        return;
      }
      if (news === undefined) return;
      for (const listener of listeners) {
        try {
          listener(news);
        } catch (failure) {
          // It would end the client's reader, and with it the connection.
          logger.error({ kind: news.kind, error: String(failure) }, "a notice was not taken");
        }
      }
    },
  });
  hello();
  return {
    publish: send,
    hubs: () => known().reverse(),
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      unlisten();
      subscription.unsubscribe();
    },
  };
}
