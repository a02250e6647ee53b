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

/** Runs of other hubs whose place is remembered. */
const MAX_HUBS = 64;

const hub = z.string().max(64);
const EnvelopeSchema = z.object({
  n: z.int().min(1),
  /** Runs of hubs that were heard by who says it. */
  to: z.array(hub).max(MAX_HUBS),
  notice: z.unknown(),
});
const NoticeSchema = z.discriminatedUnion("kind", [
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
  /** A person ends the hold on failovers: of hubs whose alarm was heard, not of one that begins later. */
  z.object({ kind: z.literal("resume"), hub }),
]);

/** What hubs tell each other, and no bucket holds. */
export type Notice = z.infer<typeof NoticeSchema>;
type Unsigned<One> = One extends Notice ? Omit<One, "hub"> : never;

/** The hubs' own channel; section 5's "notices". */
export interface Notices {
  /** To the other hubs; what can't be sent now is not sent later. */
  publish(notice: Unsigned<Notice>): void;
  /** Told what other hubs say. @returns ends it */
  on(listener: (notice: Notice) => void): () => void;
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
  const listeners = new Set<(notice: Notice) => void>();
  const [dataKey] = dataKeys;
  let sent = 0;
  /** By hub's run, the last that was heard: who runs the engine may keep one and bring it again. */
  const heard = new Map<string, number>();
  const isNews = (from: string, n: number) => {
    if (n <= (heard.get(from) ?? 0)) return false;
    heard.delete(from);
    heard.set(from, n);
    const [oldest] = heard.keys();
    if (heard.size > MAX_HUBS && oldest !== undefined) heard.delete(oldest);
    return true;
  };
  const subscription: Subscription = link.connection.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) return;
      let notice: Notice;
      try {
        const bytes = openAtRest(dataKeys, subject, message.data);
        const envelope = unpackMessage(EnvelopeSchema, bytes);
        notice = NoticeSchema.parse(envelope.notice);
        if (notice.hub === id) return;
        if (!isNews(notice.hub, envelope.n)) throw new Error("repeated");
        // Kept by who runs the engine since before this run, which knows nothing of what it has heard.
        if (notice.kind === "resume" && !envelope.to.includes(id))
          throw new Error("not for this run");
      } catch {
        counts.bad.notice += 1;
        return;
      }
      for (const listener of listeners) {
        try {
          listener(notice);
        } catch (failure) {
          // It would end the client's reader, and with it the connection.
          logger.error({ kind: notice.kind, error: String(failure) }, "a notice was not taken");
        }
      }
    },
  });
  return {
    publish: (notice) => {
      if (!link.isConnected() || dataKey === undefined) return;
      sent += 1;
      const to = [...heard.keys()];
      const body = packMessage({ n: sent, to, notice: { ...notice, hub: id } });
      const sealed = sealAtRest(dataKey, subject, body);
      link.connection.publish(subject, sealed);
    },
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => subscription.unsubscribe(),
  };
}
