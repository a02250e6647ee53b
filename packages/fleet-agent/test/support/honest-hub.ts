import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { jwtAuthenticator, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import {
  type ApiAnswer,
  ApiAnswerSchema,
  type ApiRequest,
  answerContext,
  type Box,
  boxIdOf,
  type Chunk,
  ChunkSchema,
  createFleetIdentity,
  DoneSchema,
  type EngineTls,
  encodeJoinToken,
  type FleetSecrets,
  fingerprintOf,
  type Heartbeat,
  HeartbeatSchema,
  issueHubCredentials,
  issueMemberJwt,
  type JoinAnswer,
  JoinRequestSchema,
  type JoinToken,
  joinProblem,
  type Lease,
  type LeaseRequest,
  LeaseRequestSchema,
  type MemberEvent,
  MemberEventSchema,
  memberOf,
  memberSubjects,
  openBox,
  openMessage,
  type PartOrder,
  type PartReport,
  rotateBoxKey,
  type Sync,
  type Synced,
  SyncSchema,
  sealJoinAnswer,
  sealMessage,
  serverConfig,
  sessionContext,
  unpackMessage,
} from "@nodepass/fleet-protocol";
import { type NatsServer, startNatsServer } from "test-support/nats";
import type { z } from "zod";

export const FLEET = "demo";
/** The secret of the only join token. */
const SECRET = "0123456789abcdef0123456789abcdef";

/** What a hub knows of a member. */
interface Member {
  readonly box: Box;
  readonly key: Uint8Array;
  session: string;
}

/**
 * A hub that keeps to the protocol and knows no store: joins, syncs, requests and what members say.
 * It stands here for the member's tests; the real one has its own.
 */
export class HonestHub {
  #secrets: FleetSecrets;
  readonly #members = new Map<string, Member>();
  readonly #nkeys = new Map<string, { nkey: string; box: Uint8Array }>();
  readonly #streams = new Map<string, (chunk: Chunk) => void>();
  #connection: NatsConnection | undefined;
  #http: Server | undefined;
  engine: NatsServer;
  /** What members are told to trust, PEM. */
  ca: string;
  /** What is said to be the engine's URLs. */
  servers: string[];
  /** Answer to the next syncs. */
  synced: (mid: string, sync: Sync) => Synced | undefined = (_mid, _sync) => ({
    answer: "set",
    revision: 0,
    bucket: "b1",
    orders: [],
    name: "",
  });
  /** Answer to leases; `undefined`: none. */
  lease: (mid: string, asked: LeaseRequest) => Lease | undefined = () => undefined;
  /** ms since 1970 that JWTs end at. */
  expiresAt: () => number | undefined = () => undefined;
  refuseJoin: string | undefined;
  /** Joins are done, and their answers get lost. */
  loseAnswers = false;
  /** The NKeys that came, in turn. */
  readonly nkeys: string[] = [];
  readonly syncs: { mid: string; sync: Sync }[] = [];
  readonly heartbeats: { mid: string; beat: Heartbeat }[] = [];
  readonly reports: { mid: string; report: PartReport }[] = [];
  readonly events: MemberEvent[] = [];
  /** All that has come over the engine, as it was there. */
  readonly bodies: Uint8Array[] = [];
  joins = 0;

  private constructor(secrets: FleetSecrets, engine: NatsServer, ca: string) {
    this.#secrets = secrets;
    this.engine = engine;
    this.ca = ca;
    this.servers = [`${ca === "" ? "nats" : "tls"}://${engine.url}`];
  }

  /** @param tls of the engine, with the authority of its certificate in PEM; absent: none */
  static async start(tls?: EngineTls & { readonly ca: string }): Promise<HonestHub> {
    const { secrets } = await createFleetIdentity(FLEET);
    const files = tls && { certFile: tls.certFile, keyFile: tls.keyFile };
    const engine = await startNatsServer((place) =>
      serverConfig(secrets, {
        name: place.name,
        listen: place.listen,
        tls: files,
        websocket: { listen: place.websocket, tls: files },
        storeDir: place.dir,
      }),
    );
    const hub = new HonestHub(secrets, engine, tls?.ca ?? "");
    await hub.connect();
    await hub.#listen();
    return hub;
  }

  get url(): string {
    const address = this.#http?.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return `http://127.0.0.1:${port}/api`;
  }

  get secrets(): FleetSecrets {
    return this.#secrets;
  }

  token(change: Partial<JoinToken> = {}): string {
    const fp = fingerprintOf(this.#secrets.boxKeys.publicKey);
    return encodeJoinToken({ url: this.url, fp, id: "t1", secret: SECRET, ...change });
  }

  async connect(): Promise<void> {
    const { jwt, seed } = await issueHubCredentials(this.#secrets, "hub");
    // Without the address its certificate would be compared with `localhost`.
    const tls = { ca: this.ca, host: "127.0.0.1" };
    const connection = await connect({
      servers: this.engine.url,
      ...(this.ca !== "" && { tls }),
      authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(seed)),
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 200,
    });
    this.#connection = connection;
    const all = memberSubjects(FLEET, "*");
    const on = (
      subject: string,
      take: (mid: string, body: Uint8Array, respond: (b: Uint8Array) => void) => void,
    ) => {
      connection.subscribe(subject, {
        callback: (error, message) => {
          const mid = memberOf(message.subject);
          if (error !== null || mid === undefined) return;
          this.bodies.push(message.data);
          take(mid, message.data, (body) => message.respond(body));
        },
      });
    };
    on(`np.${FLEET}.hb.*`, (mid, body) => {
      const beat = unpackMessage(HeartbeatSchema, body);
      const member = this.#members.get(mid);
      if (member !== undefined) member.session = beat.s;
      this.heartbeats.push({ mid, beat });
    });
    on(all.sync, (mid, body, respond) => {
      const { subject } = { subject: memberSubjects(FLEET, mid).sync };
      const { message, id } = openMessage(this.#member(mid).box, subject, SyncSchema, body);
      this.#member(mid).session = message.session;
      this.syncs.push({ mid, sync: message });
      const made = this.synced(mid, message);
      if (made === undefined) return;
      const hubKeys = this.#secrets.allBoxKeys.map(({ publicKey }) => publicKey);
      const answer = made.answer === "set" ? { ...made, hubKeys } : made;
      respond(sealMessage(this.#member(mid).box, subject, answer, answerContext(id)));
    });
    on(all.lease, (mid, body, respond) => {
      const subject = memberSubjects(FLEET, mid).lease;
      const { box } = this.#member(mid);
      const { message, id } = openMessage(box, subject, LeaseRequestSchema, body);
      const answer = this.lease(mid, message);
      if (answer !== undefined) respond(sealMessage(box, subject, answer, answerContext(id)));
    });
    on(all.done, (mid, body) => {
      const subject = memberSubjects(FLEET, mid).done;
      const { message } = openMessage(this.#member(mid).box, subject, DoneSchema, body);
      for (const report of message.reports) this.reports.push({ mid, report });
    });
    on(all.event, (mid, body) => {
      const subject = memberSubjects(FLEET, mid).event;
      const { box } = this.#member(mid);
      this.events.push(openMessage(box, subject, MemberEventSchema, body).message);
    });
    connection.subscribe(`np.${FLEET}.res.*.*`, {
      callback: (error, message) => {
        const mid = memberOf(message.subject);
        const stream = message.subject.split(".").at(-1) ?? "";
        if (error !== null || mid === undefined) return;
        this.bodies.push(message.data);
        const { box } = this.#member(mid);
        const chunk = openMessage(box, message.subject, ChunkSchema, message.data).message;
        this.#streams.get(stream)?.(chunk);
      },
    });
    await connection.flush();
  }

  /** The connection to the engine, for what only a liar would send. */
  get connection(): NatsConnection {
    if (this.#connection === undefined) throw new Error("not connected");
    return this.#connection;
  }

  /** Sealed as a hub seals for the member's session. */
  seal(
    mid: string,
    subject: string,
    message: unknown,
    session = this.#member(mid).session,
  ): Uint8Array {
    const { box } = this.#member(mid);
    return sealMessage(box, subject, message, sessionContext(session));
  }

  tell(
    mid: string,
    what: "credit" | "watch" | "evict" | "resync",
    message: unknown,
    session?: string,
  ): void {
    const subject = memberSubjects(FLEET, mid)[what];
    this.connection.publish(subject, this.seal(mid, subject, message, session));
  }

  async ask<Schema extends z.ZodType>(
    mid: string,
    what: "apply" | "prepare" | "api",
    message: unknown,
    schema: Schema,
    timeout = 20_000,
  ): Promise<z.output<Schema>> {
    const subject = memberSubjects(FLEET, mid)[what];
    const asked = this.seal(mid, subject, message);
    const answer = await this.connection.request(subject, asked, { timeout });
    this.bodies.push(answer.data);
    const context = answerContext(boxIdOf(asked));
    return openMessage(this.#member(mid).box, subject, schema, answer.data, context).message;
  }

  /** One request to a member's API; a streamed answer is told piece by piece. */
  async api(
    mid: string,
    request: Partial<ApiRequest> & Pick<ApiRequest, "path">,
    onChunk: (chunk: Chunk, stream: string) => void = () => undefined,
  ): Promise<ApiAnswer & { stream: string; text: string }> {
    const stream = request.stream ?? randomBytes(8).toString("hex");
    this.#streams.set(stream, (chunk) => onChunk(chunk, stream));
    const asked: ApiRequest = {
      method: "GET",
      headers: [],
      body: new Uint8Array(),
      access: "admin",
      remote: "192.0.2.1",
      credit: 1_000_000,
      ...request,
      stream,
    };
    const answer = await this.ask(mid, "api", asked, ApiAnswerSchema, 40_000);
    return { ...answer, stream, text: new TextDecoder().decode(answer.body) };
  }

  /** One step of three to another box key; members hear of it at a sync. */
  rotateBox(): void {
    this.#secrets = rotateBoxKey(this.#secrets).secrets;
    const { oldestBoxKey, allBoxKeys } = this.#secrets;
    for (const { box, key: peerPublicKey } of this.#members.values()) {
      const others = allBoxKeys.map((own) => ({ own, peerPublicKey }));
      box.use([{ own: oldestBoxKey, peerPublicKey }, ...others]);
    }
  }

  /** For members that came by another way than a join. */
  know(mid: string, publicKey: Uint8Array): void {
    const own = this.#secrets.boxKeys;
    this.#members.set(mid, {
      box: openBox({ own, peerPublicKey: publicKey, side: "hub" }),
      key: publicKey,
      session: "0".repeat(16),
    });
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#http?.closeAllConnections();
    await new Promise((resolve) => this.#http?.close(resolve) ?? resolve(undefined));
    await this.engine.close();
  }

  #member(mid: string): Member {
    const member = this.#members.get(mid);
    if (member === undefined) throw new Error(`unknown member ${mid}`);
    return member;
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      void text(request)
        .then((body) => this.#join(request.url ?? "", body))
        .catch((error: unknown) => [500, { error: String(error) }] as const)
        .then(([status, answer]) => {
          if (this.loseAnswers) {
            response.destroy();
            return;
          }
          response.writeHead(status, { "content-type": "application/json" });
          response.end(JSON.stringify(answer));
        });
    });
    this.#http = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }

  async #join(path: string, body: string): Promise<readonly [number, object]> {
    if (path !== "/api/v1/fleet/join") return [404, { error: "Not found" }];
    const request = JoinRequestSchema.parse(JSON.parse(body));
    this.joins++;
    this.nkeys.push(request.nkey);
    if (this.refuseJoin !== undefined) return [403, { error: this.refuseJoin }];
    const problem = joinProblem(request, Date.now());
    if (problem !== undefined) return [401, { error: problem }];
    const { mid, nkey, token } = request;
    const known = this.#nkeys.get(mid);
    if (token === undefined && known?.nkey !== nkey) return [401, { error: "no such member" }];
    if (token !== undefined && token.secret !== SECRET) return [401, { error: "no such token" }];
    const box = new Uint8Array(Buffer.from(request.box, "base64url"));
    this.#nkeys.set(mid, { nkey, box });
    if (token !== undefined) this.know(mid, box);
    const expiresAt = this.expiresAt() ?? Date.now() + 30 * 86_400_000;
    const answer: JoinAnswer = {
      fleet: FLEET,
      mid,
      jwt: await issueMemberJwt(this.#secrets, { mid, userPublicKey: nkey, expiresAt }),
      expires: Math.floor(expiresAt / 1000),
      servers: this.servers,
      ca: this.ca,
      hubs: [],
    };
    return [200, sealJoinAnswer(this.#secrets, request, answer)];
  }
}

/** An order with everything filled in. */
export function order(change: Partial<PartOrder> & Pick<PartOrder, "sid" | "url">): PartOrder {
  return {
    part: 0,
    rev: 1,
    epoch: 1,
    gone: false,
    keep: false,
    adopt: null,
    running: true,
    alias: "",
    tags: {},
    strict: false,
    ttlMs: 0,
    ...change,
  };
}
