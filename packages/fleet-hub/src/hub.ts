import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import {
  issueHubCredentials,
  issueSystemCredentials,
  type Sync,
  type TokenRecord,
} from "@nodepass/fleet-protocol";
import { type Clock, systemClock } from "@nodepass/master-api";
import { type Logger, ServiceError, SILENT_LOGGER } from "@nodepass/model";
import { createJoinDesk } from "./access/join-desk.ts";
import { createAuditor } from "./access/store-auditor.ts";
import { openTokens, serviceError } from "./access/tokens.ts";
import { type EngineControl, engineControl } from "./engine/engine-control.ts";
import { connectEngine, type EngineLink } from "./engine/engine-link.ts";
import { createFleetFacade } from "./facade/create-fleet-facade.ts";
import { createFleetEvents } from "./facade/fleet-events.ts";
import { createInstanceEvents } from "./facade/instance-events.ts";
import { createMasters } from "./facade/masters.ts";
import type { Caller, Fleet } from "./fleet.ts";
import { createPasser } from "./gateway/passer.ts";
import { type HubSecrets, readHubSecrets } from "./hub-secrets.ts";
import { watchHeartbeats } from "./hubs/duplicates.ts";
import { watchEngine } from "./hubs/engine-watch.ts";
import { createNews } from "./hubs/fleet-news.ts";
import { exportHourly } from "./hubs/hourly-export.ts";
import { openNotices } from "./hubs/notices.ts";
import { keepRevoked } from "./hubs/revocations.ts";
import { startElection } from "./leader/leader-election.ts";
import type { Leadership } from "./leader/leadership.ts";
import { openInbox } from "./members/inbox.ts";
import { createPresence } from "./members/live-presence.ts";
import { createMemberBoxes } from "./members/member-boxes.ts";
import { createMessageCounts, type MessageCounts } from "./members/message-counts.ts";
import type { Messenger } from "./members/messenger.ts";
import { createOutbox } from "./members/nats-messenger.ts";
import { createOrderPusher } from "./members/order-pusher.ts";
import type { Presence } from "./members/presence.ts";
import { createSyncDesk } from "./members/sync-desk.ts";
import { createServiceOperations } from "./services/create-service-operations.ts";
import type { ExportSignature } from "./services/service-operations.ts";
import type { FleetIndex } from "./store/fleet-index.ts";
import { type FleetStore, StoreError } from "./store/fleet-store.ts";
import { createIndex } from "./store/memory-index.ts";
import { openStore } from "./store/open-store.ts";

/** Longest wait for what the buckets hold, ms; a million services take 20 s. */
const LOAD_TIMEOUT_MS = 120_000;

/** How a hub is opened. */
export interface FleetHubOptions {
  /** The fleet's secrets, or the folder that has them. */
  readonly secrets: HubSecrets | string;
  /** Name of this hub, shown to people. @default `hub-` and 8 hexadecimal digits */
  readonly id?: string | undefined;
  /** Of the program, shown to people. */
  readonly version: string;
  /** SHA-256 of the hub's certificate where no authority vouches for it; goes into join tokens. @default none */
  readonly certificate?: (() => string | undefined) | undefined;
  /** Folder for the signed export of every hour. @default none is written */
  readonly exports?: string | undefined;
  /** Longest wait for the engine, ms. @default 30_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

/** Figures of a hub, for its metrics. */
export interface HubFigures {
  readonly leading: boolean;
  readonly connected: boolean;
  readonly counts: MessageCounts;
  /** Orders that members have not carried out, as this hub knows. */
  readonly openOrders: number;
  /** Records that can't be read. */
  readonly badRecords: number;
  /** Instance events that were dropped. */
  readonly droppedEvents: number;
}

/** A hub that runs. */
export interface FleetHub {
  /** What its HTTP API sits on. */
  readonly fleet: Fleet;
  readonly id: string;
  /** Host names `{mid}.<suffix>` lead to the members' APIs; empty: none. */
  readonly gateway: string;
  readonly messenger: Messenger;
  readonly presence: Presence;
  readonly index: FleetIndex;
  readonly leadership: Leadership;
  figures(): HubFigures;
  /** Graceful: readers are told, the lead is given up. Idempotent. */
  close(): Promise<void>;
  /** At once. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a hub: connects to the engine, checks what it is, opens the store, reads it, and begins to
 * listen to members.
 *
 * @throws {ServiceError} `UNAVAILABLE`: the engine can't be reached, or is refused, which the message
 * says by the server's name; `INVALID_OPTIONS`: the secrets can't be used
 */
export async function openFleetHub(options: FleetHubOptions): Promise<FleetHub> {
  const secrets =
    typeof options.secrets === "string" ? await readHubSecrets(options.secrets) : options.secrets;
  const opened: (() => void)[] = [];
  try {
    return await open(options, secrets, opened);
  } catch (error) {
    for (const undo of opened.reverse()) undo();
    throw serviceError(error);
  }
}

async function open(
  options: FleetHubOptions,
  hub: HubSecrets,
  opened: (() => void)[],
): Promise<FleetHub> {
  const { clock = systemClock, logger = SILENT_LOGGER, version } = options;
  const id = options.id ?? `hub-${randomBytes(4).toString("hex")}`;
  const nonce = randomBytes(8).toString("hex");
  const { secrets } = hub;
  const { fleet, dataKeys } = secrets;
  const { system, link, control, first } = await reachEngine(options, hub, id, logger, opened);

  const replicas = first.size >= 3 ? 3 : 1;
  const { store, isNew } = await openStore({ fleet, link, dataKeys, replicas, logger });
  if (isNew) await storeFirstToken(store, hub, clock);
  const audit = createAuditor(store, clock, logger);
  const index = await createIndex(store);
  opened.push(() => index.close());
  const tokens = await openTokens({
    store,
    audit,
    clock,
    hub: hub.hubs[0] ?? "",
    boxKey: secrets.boxKeys.publicKey,
    certificate: options.certificate ?? (() => undefined),
  });
  opened.push(() => tokens.close());
  await withinTime(Promise.all([index.loaded(), tokens.loaded()]));

  const counts = createMessageCounts();
  const notices = openNotices({ fleet, id: nonce, link, dataKeys, counts, logger });
  const news = createNews(notices, clock, logger);
  const election = startElection({ hub: id, nonce, records: store.leader, clock, logger });
  const presence = createPresence(index, clock);
  const boxes = createMemberBoxes(secrets.boxKeys, index);
  const outbox = createOutbox({ fleet, link, boxes, presence, counts, logger });
  const heartbeats = watchHeartbeats({
    index,
    presence,
    outbox,
    leadership: election,
    news,
    clock,
  });
  const onOlder = (mid: string, sync: Sync) => {
    void isOlder(store, sync).then((reason) => {
      if (reason !== undefined) news.alarm("store-older", true, `master ${mid} knows ${reason}`);
    });
  };
  const inbox = openInbox({
    fleet,
    link,
    boxes,
    presence,
    counts,
    logger,
    answerSync: createSyncDesk({
      index,
      presence,
      bucket: store.identity.nonce,
      clock,
      storeRevision: () => store.services.revision(),
      onOlder,
    }),
    isWelcome: (mid, session) => {
      const record = index.members.get(mid)?.value;
      return record?.evicted === false && !presence.isEvicted(mid, session);
    },
    onHeartbeat: heartbeats.heard,
  });
  const messenger: Messenger = { ...outbox, ...inbox };
  const pusher = createOrderPusher({
    index,
    presence,
    messenger,
    leadership: election,
    clock,
    logger,
    onApplied: (mid, reports) =>
      notices.publish({ kind: "reports", mid, reports: [...reports].slice(0, 500) }),
  });
  const operations = createServiceOperations({
    fleet,
    hub: id,
    store,
    index,
    presence,
    messenger,
    leadership: election,
    orders: pusher,
    audit,
    news,
    signature: exportSignature(fleet, dataKeys),
    clock,
    logger,
  });
  const unlease = inbox.onLease((mid, request) => operations.lease(mid, request));
  const unnotice = notices.on((notice) => {
    if (notice.kind === "reports") presence.reported(notice.mid, notice.reports);
    else if (notice.kind === "resume") operations.resumeFailover(ITSELF);
  });
  const unmember = index.onMember((mid, now) => {
    if (now === undefined || now.value.evicted) presence.forget(mid);
  });
  const unlost = index.onLost((keys) => {
    const text = `${keys.length} records are gone from the store without having been removed`;
    news.alarm("store-older", true, text);
  });
  const engine = watchEngine({ link, system, control, news, first, logger });
  const unrevoke = keepRevoked({ index, leadership: election, control, clock, logger });
  const passer = createPasser({ messenger, presence });
  const instances = createInstanceEvents({ messenger, presence, index, clock });
  const events = createFleetEvents({ index, presence, news, instances, clock, logger });
  const masters = createMasters({
    store,
    index,
    presence,
    messenger,
    operations,
    control,
    audit,
    clock,
    logger,
  });
  operations.start();
  const unexport =
    options.exports === undefined
      ? () => undefined
      : exportHourly({
          directory: options.exports,
          read: () => operations.export(),
          clock,
          logger,
        });

  const facade = createFleetFacade({
    store,
    index,
    presence,
    operations,
    tokens,
    masters,
    events,
    asker: { passer, presence },
    audit,
    join: createJoinDesk({ hub, store, tokens, audit, clock, logger }),
    info: () => ({
      fleet,
      hub: id,
      leader: election.leader() ?? null,
      engine: {
        connected: link.isConnected(),
        version: link.version(),
        servers: engine.facts().size,
      },
      version,
      masters: [...index.members.values()].filter(({ value }) => !value.evicted).length,
      services: index.services.size,
      alarms: [...news.raised()],
      gateway: hub.gateway,
    }),
    resume: (caller) => {
      operations.resumeFailover(caller);
      notices.publish({ kind: "resume" });
    },
    clock,
  });

  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    events.close();
    for (const stop of [unexport, unlease, unnotice, unmember, unlost, unrevoke]) stop();
    operations.close();
    pusher.close();
    election.close();
    instances.close();
    passer.close();
    heartbeats.close();
    inbox.close();
    outbox.close();
    presence.close();
    engine.close();
    news.close();
    notices.close();
    tokens.close();
    index.close();
  };
  const close = async () => {
    end();
    await Promise.all([link.close(), system.close()]);
  };
  logger.info({ fleet, hub: id, masters: index.members.size }, "the hub is open");
  return {
    fleet: facade,
    id,
    gateway: hub.gateway,
    messenger,
    presence,
    index,
    leadership: election,
    figures: () => ({
      leading: election.isLeading(),
      connected: link.isConnected(),
      counts,
      openOrders: pusher.open(),
      badRecords: index.bad.size,
      droppedEvents: instances.dropped,
    }),
    close,
    destroy: () => {
      void close();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** What the hub does on another hub's word. */
const ITSELF: Caller = { token: "hub", role: "admin", selector: [], from: "" };

async function reachEngine(
  options: FleetHubOptions,
  { servers, ca, secrets }: HubSecrets,
  id: string,
  logger: Logger,
  opened: (() => void)[],
): Promise<{
  readonly system: EngineLink;
  readonly link: EngineLink;
  readonly control: EngineControl;
  readonly first: Awaited<ReturnType<EngineControl["check"]>>;
}> {
  const { connectTimeoutMs } = options;
  const common = { servers, ca, connectTimeoutMs, logger };
  const system = await connectEngine({
    ...common,
    name: `${id} system`,
    credentials: await issueSystemCredentials(secrets, id),
  });
  opened.push(() => void system.close());
  const control = engineControl(system, secrets, logger);
  const first = await control.check();
  const link = await connectEngine({
    ...common,
    name: id,
    credentials: await issueHubCredentials(secrets, id),
  });
  opened.push(() => void link.close());
  return { system, link, control, first };
}

/** The admin's, that `fleet init` showed; once it is removed it stays away, as the bucket is not new then. */
async function storeFirstToken(store: FleetStore, hub: HubSecrets, clock: Clock): Promise<void> {
  if (hub.firstToken === undefined) return;
  const { id, hash } = hub.firstToken;
  const record: TokenRecord = {
    v: 1,
    kind: "api",
    hash: new Uint8Array(Buffer.from(hash, "base64url")),
    role: "admin",
    selector: "",
    labels: {},
    uses: null,
    expires: null,
    note: "the first one, of fleet init",
    created: clock.now(),
  };
  try {
    await store.auth.create(id, record);
  } catch (error) {
    // Another hub has begun at the same moment.
    if (!(error instanceof StoreError && error.code === "CONFLICT")) throw error;
  }
}

/** @returns what a member knows that this store does not; `undefined`: only the index was behind */
async function isOlder(store: FleetStore, sync: Sync): Promise<string | undefined> {
  if (sync.bucket !== "" && sync.bucket !== store.identity.nonce) return "another store";
  try {
    const revision = await store.services.revision();
    if (sync.revision <= revision) return undefined;
    return `revision ${sync.revision}, the store only ${revision}`;
  } catch {
    // It can't be asked now; the member's next sync asks again.
    return undefined;
  }
}

function exportSignature(fleet: string, dataKeys: readonly Uint8Array[]): ExportSignature {
  const keys = dataKeys.map((key) =>
    Buffer.from(hkdfSync("sha256", key, fleet, "nodepass fleet export 1", 32)),
  );
  const mac = (key: Buffer | undefined, body: Uint8Array) =>
    createHmac("sha256", key ?? "")
      .update(body)
      .digest();
  return {
    sign: (body) => mac(keys[0], body).toString("base64url"),
    verify: (body, signature) => {
      const given = Buffer.from(signature, "base64url");
      return keys.some((key) => {
        const right = mac(key, body);
        return given.byteLength === right.byteLength && timingSafeEqual(right, given);
      });
    },
  };
}

async function withinTime(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const limit = `${LOAD_TIMEOUT_MS / 1000} s`;
      reject(new ServiceError("UNAVAILABLE", `the store could not be read within ${limit}`));
    }, LOAD_TIMEOUT_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
