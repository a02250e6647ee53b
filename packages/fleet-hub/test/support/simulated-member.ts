import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import {
  type ApiAnswer,
  type ApiRequest,
  ApiRequestSchema,
  ApplySchema,
  answerContext,
  BAD_MESSAGE,
  type Box,
  boxIdOf,
  CreditSchema,
  EvictSchema,
  engineAuthenticator,
  HEARTBEAT_INTERVAL_MS,
  LeaseSchema,
  MAX_CHUNK_BYTES,
  memberInbox,
  memberSubjects,
  openBox,
  openMessage,
  type PartOrder,
  type PartReport,
  type Prepared,
  PrepareSchema,
  packMessage,
  REFUSAL_HEADER,
  ResyncSchema,
  type Seen,
  SyncedSchema,
  sealMessage,
  sessionContext,
  WatchSchema,
} from "@nodepass/fleet-protocol";
import type { z } from "zod";
import { CreditedStreams } from "./credited-streams.ts";
import type { MemberIdentity } from "./join-as.ts";
import { SimulatedLeases } from "./simulated-leases.ts";
import { applyOrder, type HeldPart, prepareSimulated } from "./simulated-parts.ts";

/** How a simulated member behaves. */
export interface SimulatedMemberOptions {
  readonly identity: MemberIdentity;
  /** @default the answer's servers */
  readonly servers?: readonly string[];
  /** @default HEARTBEAT_INTERVAL_MS */
  readonly heartbeatMs?: number;
  /** Its API. @default 404 for everything */
  readonly api?: (request: ApiRequest, member: SimulatedMember) => ApiAnswer | Promise<ApiAnswer>;
  /** Why it can't run a part; `undefined`: it can. @default it can run everything */
  readonly failure?: (order: PartOrder) => string | undefined;
  /** What it says that it could run. @default all, with ports filled in */
  readonly prepare?: (url: string) => Prepared;
  /** Whether it answers at all. @default it does */
  readonly isSilent?: () => boolean;
  /** Whether it reconnects. @default true */
  readonly reconnect?: boolean;
  /** Told of each order that it has taken. */
  readonly onOrder?: (order: PartOrder, report: PartReport) => void;
}

/**
 * An honest member without tunnels: made of the protocol alone, so that many fit into a process. What it
 * is ordered to run it "runs" in a map.
 */
export class SimulatedMember {
  readonly identity: MemberIdentity;
  readonly box: Box;
  readonly parts = new Map<string, HeldPart>();
  connection: NatsConnection | undefined;
  synced = 0;
  busy = 0;
  /** Runs of hubs that its syncs name. */
  runs: readonly string[] = [];
  /** Syncs that had to be sent again, naming another run. */
  again = 0;
  /** The fleet's keys, as the last sync has told. */
  hubKeys: readonly Uint8Array[] = [];
  badMessages = 0;
  watchedForMs = 0;
  evicted: string | undefined;
  revision = 0;
  bucket = "";
  /** The highest revision that a hub has told of. */
  seen: Seen | undefined;
  /** Orders that came, applied or not. */
  orders = 0;
  readonly #leases = new SimulatedLeases();
  readonly #streams = new CreditedStreams((...piece) => this.sendChunk(...piece));
  readonly #options: SimulatedMemberOptions;
  readonly #subjects: ReturnType<typeof memberSubjects>;
  #timer: NodeJS.Timeout | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #onSynced: (() => void)[] = [];

  constructor(options: SimulatedMemberOptions) {
    const { identity } = options;
    this.#options = options;
    this.identity = identity;
    this.runs = identity.answer.runs ?? [];
    this.box = openBox({ own: identity.box, peerPublicKey: identity.hubKey, side: "member" });
    this.#subjects = memberSubjects(identity.answer.fleet, identity.mid);
  }

  /** What its last lease named. */
  get leases(): SimulatedLeases["named"] {
    return this.#leases.named;
  }

  /** Streams that the hub has broken off. */
  get cancelled(): number {
    return this.#streams.cancelled;
  }

  get session(): string {
    return this.box.nonce;
  }

  /** Connects, syncs, and goes on until `close`. */
  async start(): Promise<this> {
    const { identity, servers = identity.answer.servers, reconnect = true } = this.#options;
    const { jwt, ca } = identity.answer;
    // The client gives TLS no name for an address, which would be compared with `localhost` then.
    const tls = { ca, host: "127.0.0.1" };
    const connection = await connect({
      ...(ca !== "" && { tls }),
      servers: servers.map((url) => url.replace(/^\w+:\/\//, "")),
      authenticator: engineAuthenticator(() => ({ jwt, seed: identity.seed })),
      inboxPrefix: memberInbox(identity.mid),
      name: identity.mid,
      reconnect,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      ignoreAuthErrorAbort: false,
      reconnectTimeWait: 200,
      reconnectJitter: 800,
      timeout: 20_000,
      noAsyncTraces: true,
    });
    this.connection = connection;
    connection.subscribe(this.#subjects.inbound, {
      callback: (error, message) => {
        if (error === null && this.#options.isSilent?.() !== true) void this.#take(message);
      },
    });
    void this.#follow(connection);
    const { heartbeatMs = HEARTBEAT_INTERVAL_MS } = this.#options;
    // Not all at once.
    this.#timer = setTimeout(() => {
      this.heartbeat();
      this.#timer = setInterval(() => this.heartbeat(), heartbeatMs);
    }, Math.random() * heartbeatMs);
    this.heartbeat();
    await this.sync();
    return this;
  }

  heartbeat(): void {
    if (this.#options.isSilent?.() === true) return;
    const running = [...this.parts.values()].filter(({ report }) => report.running).length;
    const body = packMessage({
      s: this.session,
      r: this.revision,
      n: [running, this.parts.size - running, 0],
      d: 0,
      c: 1.5,
      m: 50_000_000,
      t: [0, 0, 0, 0],
    });
    this.#publish(this.#subjects.heartbeat, body);
  }

  /** Syncs until a hub has answered with a set, or it is evicted. */
  async sync(): Promise<void> {
    const { identity } = this;
    while (!this.#isClosed && this.evicted === undefined) {
      const asked = this.revision;
      try {
        const answer = await this.#ask(
          this.#subjects.sync,
          {
            session: this.session,
            version: "simulated",
            name: this.identity.name,
            allow: ["apply", "api", "read"],
            revision: this.revision,
            bucket: this.bucket,
            seen: this.seen,
            parts: [...this.parts.values()].map(({ report }) => report),
            local: 0,
            runs: this.runs,
          },
          SyncedSchema,
          5000,
        );
        if (answer.answer === "again") {
          this.again += 1;
          this.#learn(answer.runs);
          continue;
        }
        if (answer.answer === "busy") {
          this.busy += 1;
          await pause(answer.afterMs);
          continue;
        }
        if (answer.answer === "evicted") {
          this.evicted = answer.reason;
          return;
        }
        this.#learn(answer.runs);
        const [first, ...more] = (answer.hubKeys ?? []).map((peerPublicKey) => ({
          own: identity.box,
          peerPublicKey,
        }));
        if (first !== undefined) this.box.use([first, ...more]);
        this.hubKeys = answer.hubKeys ?? [];
        if (answer.revision < this.revision && this.revision > asked) {
          // Orders have overtaken this set: what it says of them is over.
          continue;
        }
        if (answer.bucket === this.bucket || this.bucket === "") {
          this.bucket = answer.bucket;
          this.#see(answer.revision, answer.seen);
          const named = new Set(answer.orders.map(({ sid, part }) => `${sid}/${part}`));
          if (answer.revision >= this.revision) {
            for (const key of [...this.parts.keys()]) if (!named.has(key)) this.parts.delete(key);
          }
        }
        const reports = answer.orders.map((order) => this.#apply(order));
        this.synced += 1;
        for (const resolve of this.#onSynced.splice(0)) resolve();
        if (reports.length > 0) this.#say(this.#subjects.done, { reports });
        return;
      } catch {
        // No hub, or the engine is away: again, as a master does.
        await pause(200 + Math.random() * 800);
      }
    }
  }

  #see(revision: number, proof: Uint8Array | undefined): void {
    if (proof !== undefined && revision >= (this.seen?.revision ?? 0)) {
      this.seen = { revision, proof };
    }
  }

  #learn(runs: readonly string[] = []): void {
    this.runs = [...new Set([...runs, ...this.runs])].slice(0, 16);
  }

  /** Resolves after the next sync. */
  nextSync(): Promise<void> {
    return new Promise((resolve) => this.#onSynced.push(resolve));
  }

  /** Asks for its strict parts to be named. @returns whether a hub that leads has answered */
  async lease(): Promise<boolean> {
    const parts = [...this.parts.values()]
      .filter(({ order }) => order.ttlMs > 0)
      .map(({ order: { sid, part, epoch } }) => ({ sid, part, epoch }));
    try {
      await this.#leases.renew(parts, (hub, asked) => {
        const body = { session: this.session, hub, parts: asked };
        return this.#ask(this.#subjects.lease, body, LeaseSchema, 2000);
      });
      return true;
    } catch {
      return false;
    }
  }

  /** At which epoch it serves a part's users now; `undefined`: it does not. Section 7, rules 5 and 8. */
  serves(key: string): number | undefined {
    const held = this.parts.get(key);
    if (held === undefined || !held.report.running || this.evicted !== undefined) return undefined;
    const { strict, epoch } = held.order;
    return !strict || this.#leases.allow(key, epoch) ? epoch : undefined;
  }

  /** Asks for leases every so often, ms. */
  leaseEvery(ms: number): void {
    this.#leaseTimer = setInterval(() => void this.lease(), ms);
  }

  /** Publishes as it likes, for what an honest one would not. */
  publishRaw(subject: string, body: Uint8Array): void {
    this.#publish(subject, body);
  }

  /** A piece of a streamed answer. */
  sendChunk(stream: string, n: number, data: Uint8Array, end: boolean): void {
    this.#say(this.#subjects.stream(stream), { n, data, end, error: "" });
  }

  sayEvent(type: "create" | "update" | "delete", instance: Record<string, unknown>): void {
    this.#say(this.#subjects.event, { type, instance });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#timer);
    clearInterval(this.#leaseTimer);
    await this.connection?.close();
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) if (type === "reconnect") void this.sync();
  }

  #publish(subject: string, body: Uint8Array): void {
    if (this.connection !== undefined && !this.connection.isClosed()) {
      this.connection.publish(subject, body);
    }
  }

  #say(subject: string, message: unknown): void {
    this.#publish(subject, sealMessage(this.box, subject, message));
  }

  async #ask<Schema extends z.ZodType>(
    subject: string,
    body: unknown,
    schema: Schema,
    timeout: number,
  ): Promise<z.output<Schema>> {
    if (this.connection === undefined) throw new Error("not connected");
    const sealed = sealMessage(this.box, subject, body);
    const answer = await this.connection.request(subject, sealed, { timeout });
    const context = answerContext(boxIdOf(sealed));
    return openMessage(this.box, subject, schema, answer.data, context).message;
  }

  async #take(message: Msg): Promise<void> {
    const { subject } = message;
    const open = <Schema extends z.ZodType>(schema: Schema) =>
      openMessage(this.box, subject, schema, message.data, sessionContext(this.session));
    try {
      if (subject === this.#subjects.apply) {
        const { message: apply, id } = open(ApplySchema);
        const reports = apply.orders.map((order) => this.#apply(order));
        message.respond(sealMessage(this.box, subject, { reports }, answerContext(id)));
      } else if (subject === this.#subjects.prepare) {
        const { message: prepare, id } = open(PrepareSchema);
        const prepared = (this.#options.prepare ?? prepareSimulated)(prepare.url);
        message.respond(sealMessage(this.box, subject, prepared, answerContext(id)));
      } else if (subject === this.#subjects.api) {
        const { message: request, id } = open(ApiRequestSchema);
        const answer = (await this.#options.api?.(request, this)) ?? NOT_FOUND;
        const isLong = answer.body.byteLength > MAX_CHUNK_BYTES;
        const head = isLong ? { ...answer, body: new Uint8Array(0), streamed: true } : answer;
        message.respond(sealMessage(this.box, subject, head, answerContext(id)));
        if (isLong) this.#streams.begin(request, answer.body);
      } else if (subject === this.#subjects.credit) {
        this.#streams.credit(open(CreditSchema).message);
      } else if (subject === this.#subjects.watch) {
        this.watchedForMs = open(WatchSchema).message.forMs;
      } else if (subject === this.#subjects.evict) {
        this.evicted = open(EvictSchema).message.reason;
      } else if (subject === this.#subjects.resync) {
        const { afterMs, runs } = open(ResyncSchema).message;
        this.#learn(runs);
        await pause(Math.random() * afterMs);
        await this.sync();
      }
    } catch {
      this.badMessages += 1;
      if (message.reply === undefined) return;
      const refusal = headers();
      refusal.set(REFUSAL_HEADER, BAD_MESSAGE);
      message.respond(undefined, { headers: refusal });
    }
  }

  /** Section 7, rule 2. */
  #apply(order: PartOrder): PartReport {
    this.orders += 1;
    const { report, isTaken } = applyOrder(this.parts, order, this.#options.failure);
    if (!isTaken) return report;
    this.revision = Math.max(this.revision, order.rev);
    this.#see(order.rev, order.seen);
    this.#options.onOrder?.(order, report);
    return report;
  }
}

const NOT_FOUND: ApiAnswer = {
  status: 404,
  headers: [["content-type", "application/json"]],
  body: new TextEncoder().encode('{"error":"Not found"}'),
  streamed: false,
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
