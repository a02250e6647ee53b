import {
  ApiRequestSchema,
  ApplySchema,
  CreditSchema,
  EvictSchema,
  memberInbox,
  PrepareSchema,
  ResyncSchema,
  WatchSchema,
} from "@nodepass/fleet-protocol";
import type { InstanceManager } from "@nodepass/instances";
import type { Logger, MasterInfo } from "@nodepass/model";
import { MEMBER_PERMISSIONS, type MemberPermission } from "@nodepass/model/fleet";
import { connectEngine } from "./engine/connect-engine.ts";
import { EngineLine } from "./engine/engine-line.ts";
import { WatchedEvents } from "./events/watched-events.ts";
import type { FleetFile } from "./file/fleet-file.ts";
import { learnHubKeys, learnHubRuns } from "./join/hub-keys.ts";
import { JwtRenewal } from "./join/jwt-renewal.ts";
import { MemberPost } from "./messages/member-post.ts";
import { Leases } from "./parts/leases.ts";
import { PartBook } from "./parts/part-book.ts";
import { PartKeeper } from "./parts/part-keeper.ts";
import { Preparing } from "./parts/preparing.ts";
import type { TargetRules } from "./parts/targets.ts";
import { type AskedBy, PassThrough } from "./pass-through/pass-through.ts";
import { Heartbeats } from "./presence/heartbeats.ts";
import { Syncing } from "./presence/syncing.ts";

/** Of a graceful end, what open streams get to be read to theirs, ms. */
const DRAIN_TIMEOUT_MS = 1000;

/** What a member is made of. */
export interface FleetAgentOptions {
  readonly file: FleetFile;
  readonly instances: InstanceManager;
  /** Asks the master's API: by a role, or by the key that the request has. */
  ask(request: Request, by: AskedBy): Promise<Response>;
  info(): Promise<MasterInfo>;
  /** Where the API is, `/api`. */
  readonly prefix: string;
  /** Of the program. */
  readonly version: string;
  readonly logger: Logger;
  /**
   * What it accepts from its hub. @default all; without `api` where `targets` bounds what the fleet may
   * connect to, since whoever may write to the API could go round that
   */
  readonly allow?: readonly MemberPermission[] | undefined;
  /** Addresses that the fleet's instances may dial. @default any */
  readonly targets?: TargetRules | undefined;
}

/** How a member stands with its fleet. */
export interface FleetStatus {
  readonly fleet: string;
  readonly mid: string;
  /** `synced`: a hub has answered on this connection; `left`: for good. */
  readonly state: "connecting" | "connected" | "synced" | "left";
  /** Why it is not connected, or has left; empty if it is. */
  readonly reason: string;
  /** Messages that could not be taken, in this process. */
  readonly badMessages: number;
}

/** The member's side of a fleet, beside its master. */
export interface FleetAgent {
  status(): FleetStatus;
  /** Tells no one anything more. Idempotent; never rejects. */
  close(): Promise<void>;
  /** Now. Idempotent. */
  destroy(): void;
}

/**
 * Connects a master to its fleet, for ever: what cannot be had now is tried again, and the master
 * runs all the same.
 */
export function openFleetAgent(options: FleetAgentOptions): FleetAgent {
  return new Member(options);
}

class Member implements FleetAgent {
  readonly #options: FleetAgentOptions;
  readonly #allow: readonly MemberPermission[];
  readonly #post: MemberPost;
  readonly #line: EngineLine;
  readonly #heartbeats: Heartbeats;
  readonly #syncing: Syncing;
  readonly #renewal: JwtRenewal;
  readonly #passThrough: PassThrough;
  readonly #parts: PartKeeper;
  readonly #book: PartBook;
  readonly #leases: Leases;
  readonly #preparing: Preparing;
  readonly #events: WatchedEvents;
  #name = "";
  /** The one that the last connection was opened with. */
  #jwt = "";
  #reason = "not yet connected";
  #told = "";
  #closed: Promise<void> | undefined;

  constructor(options: FleetAgentOptions) {
    const { file, instances, logger, info } = options;
    const { data } = file;
    this.#options = options;
    this.#allow = options.allow ?? defaultAllow(options.targets);
    const post = new MemberPost(data, logger);
    this.#post = post;
    const { subjects, session } = post;
    this.#passThrough = new PassThrough({
      ask: options.ask,
      allow: this.#allow,
      sendChunk: (stream, chunk) => post.say(subjects.stream(stream), chunk),
    });
    this.#preparing = new Preparing({
      instances,
      allow: this.#allow,
      targets: options.targets,
      instanceOf: (key) => this.#parts.instanceOf(key),
    });
    this.#book = new PartBook(file);
    this.#parts = new PartKeeper({
      book: this.#book,
      instances,
      preparing: this.#preparing,
      logger,
      tell: (reports) => post.say(subjects.done, { reports }),
      onLeaseWanted: () => this.#leases.now(),
    });
    this.#leases = new Leases({
      post,
      entries: () => this.#book.entries,
      onLease: (lease) => this.#parts.lease(lease),
    });
    this.#events = new WatchedEvents({
      instances,
      say: (event) => post.say(subjects.event, event),
    });
    this.#heartbeats = new Heartbeats({
      instances,
      info,
      session,
      revision: () => data.revision,
      drift: () => this.#parts.drift(),
      say: (body) => post.sayOpenly(subjects.heartbeat, body),
    });
    this.#syncing = new Syncing({
      post,
      logger,
      describe: async () => {
        const { alias, name } = await info();
        this.#name = alias === "" ? name : alias;
        const list = await instances.list();
        return {
          session,
          version: options.version,
          prefix: options.prefix,
          runs: data.hubRuns ?? [],
          name: this.#name,
          allow: [...this.#allow],
          revision: data.revision,
          bucket: data.bucket,
          seen: data.seen,
          parts: await this.#parts.reports(),
          local: list.filter(({ id }) => !data.parts.some((part) => part.instance === id)).length,
        };
      },
      onSet: async (set) => {
        learnHubRuns(data, set.runs);
        if (learnHubKeys(data, set.hubKeys)) {
          // On disk first: what is sealed by a new key is not to be answered to a process without it.
          await file.save().catch((error: unknown) => {
            logger.error({ reason: String(error) }, "fleet: its keys are not saved");
          });
          post.useKeys(data);
          logger.info({ fleet: data.fleet, key: data.fingerprint }, "fleet: it has other keys now");
        }
        await this.#parts.applySet(set);
        const { fleet } = data;
        const fields = { fleet, name: set.name, parts: set.orders.length };
        logger.info(fields, "fleet: synced");
      },
      onRuns: (runs) => learnHubRuns(data, runs),
      onEvicted: (reason) => this.#leave(reason),
    });
    this.#renewal = new JwtRenewal({
      file,
      logger,
      name: () => this.#name,
      onRenewed: () => {
        post.useKeys(data);
        this.#line.hurry();
      },
    });
    this.#line = new EngineLine({
      connect: (attempt) => {
        const { servers, ca, jwt, seed, mid } = data;
        this.#jwt = jwt;
        const inboxPrefix = memberInbox(mid);
        const name = `nodepass ${mid}`;
        return connectEngine({ servers, ca, jwt, seed, inboxPrefix, name }, attempt);
      },
      subject: subjects.inbound,
      onMessage: (message) => post.take(message),
      onConnected: () => this.#connected(),
      onCut: (reason) => this.#cut(reason),
      onFailed: (reason, refused) => this.#failed(reason, refused),
    });
    post.use(this.#line);
    post.on(subjects.api, ApiRequestSchema, (asked) => this.#passThrough.answer(asked));
    post.on(subjects.credit, CreditSchema, (credit) => this.#passThrough.credit(credit));
    post.on(subjects.apply, ApplySchema, async ({ orders }) => ({
      reports: await this.#parts.apply(orders),
    }));
    post.on(subjects.prepare, PrepareSchema, (asked) => this.#preparing.prepare(asked));
    post.on(subjects.watch, WatchSchema, (watch) => {
      if (this.#allow.includes("read")) this.#events.watch(watch);
    });
    post.on(subjects.resync, ResyncSchema, (resync) => {
      if (resync.session !== session) return;
      learnHubRuns(data, resync.runs);
      this.#syncing.again(resync.afterMs);
    });
    post.on(subjects.evict, EvictSchema, (evict) => {
      if (evict.session === session) this.#leave(evict.reason);
    });
    if (data.left === "") {
      this.#renewal.start();
      this.#line.open();
    } else {
      this.#parts.release();
      if (data.leftTold !== true) this.#tellLeft();
      data.leftTold = true;
      this.#saveEnd();
    }
  }

  status(): FleetStatus {
    const { fleet, mid, left } = this.#options.file.data;
    const { connected } = this.#line;
    const state =
      left !== ""
        ? "left"
        : this.#syncing.synced
          ? "synced"
          : connected
            ? "connected"
            : "connecting";
    const reason = left !== "" ? left : connected ? "" : this.#reason;
    return { fleet, mid, state, reason, badMessages: this.#post.badMessages };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  destroy(): void {
    this.#closed ??= Promise.resolve();
    this.#quiet();
    this.#line.destroy();
  }

  async #close(): Promise<void> {
    // Readers of events are told `shutdown` in this moment.
    await this.#passThrough.drain(DRAIN_TIMEOUT_MS);
    this.#quiet();
    await this.#line.close();
    // It was saved when it changed; a failure was told then.
    await this.#options.file.save().catch(() => undefined);
  }

  #quiet(): void {
    this.#heartbeats.stop();
    this.#syncing.end();
    this.#leases.stop();
    this.#renewal.stop();
    this.#passThrough.cut();
    this.#events.stop();
    this.#parts.close();
  }

  #connected(): void {
    const { fleet } = this.#options.file.data;
    this.#told = "";
    this.#options.logger.info({ fleet }, "fleet: connected");
    this.#heartbeats.start();
    this.#syncing.begin();
    this.#leases.start();
  }

  #cut(reason: string): void {
    this.#heartbeats.stop();
    this.#syncing.end();
    this.#leases.stop();
    this.#passThrough.cut();
    this.#events.stop();
    this.#failed(reason, false);
  }

  #failed(reason: string, refused: boolean): void {
    const { fleet, expires } = this.#options.file.data;
    const ended = refused && expires * 1000 < Date.now();
    this.#reason = ended
      ? `its credentials have expired at ${new Date(expires * 1000).toISOString()} by this machine's clock: ${reason}`
      : reason;
    if (this.#told !== this.#reason) {
      this.#told = this.#reason;
      this.#options.logger.warn({ fleet, reason: this.#reason }, "fleet: not connected");
    }
    // One that was renewed meanwhile is used at the next try.
    if (refused && this.#jwt === this.#options.file.data.jwt) this.#renewal.now();
  }

  /** For good: another process has this identity, or the fleet has removed this member. */
  #leave(reason: string): void {
    const { file } = this.#options;
    if (file.data.left !== "") return;
    file.data.left = reason === "" ? "removed from the fleet" : reason;
    this.#tellLeft();
    this.#parts.stopStrict();
    this.#parts.release();
    this.#quiet();
    this.#line.destroy();
    this.#saveEnd();
  }

  #saveEnd(): void {
    this.#options.file.save().catch((error: unknown) => {
      this.#options.logger.error({ reason: String(error) }, "fleet: its end is not saved");
    });
  }

  #tellLeft(): void {
    const { fleet, left } = this.#options.file.data;
    const hint = "to come back: rejoin with --join TOKEN --new-identity; to forget it: --leave";
    this.#options.logger.warn({ fleet, reason: left, hint }, "fleet: this master has left");
  }
}

function defaultAllow(targets: TargetRules | undefined): readonly MemberPermission[] {
  return targets === undefined ? MEMBER_PERMISSIONS : ["apply", "read"];
}
