import { randomBytes } from "node:crypto";
import { systemClock } from "@nodepass/master-api";
import { SILENT_LOGGER } from "@nodepass/model";
import { storeFirstToken } from "./access/first-token.ts";
import { createJoinDesk } from "./access/join-desk.ts";
import { createAuditor } from "./access/store-auditor.ts";
import { openTokens, serviceError } from "./access/tokens.ts";
import { reachEngine } from "./engine/reach-engine.ts";
import { createFleetFacade } from "./facade/create-fleet-facade.ts";
import { createFleetEvents } from "./facade/fleet-events.ts";
import { createInstanceEvents } from "./facade/instance-events.ts";
import { createMasters } from "./facade/masters.ts";
import type { Caller } from "./fleet.ts";
import { createPasser } from "./gateway/passer.ts";
import type { FleetHub, FleetHubOptions } from "./hub.ts";
import { type HubSecrets, readHubSecrets } from "./hub-secrets.ts";
import { sweepDaily } from "./hubs/daily-sweep.ts";
import { watchHeartbeats } from "./hubs/duplicates.ts";
import { type EngineTrust, watchEngine } from "./hubs/engine-watch.ts";
import { exportSignature } from "./hubs/export-signature.ts";
import { createNews } from "./hubs/fleet-news.ts";
import { guardAgainstFloods } from "./hubs/flood-guard.ts";
import { exportHourly } from "./hubs/hourly-export.ts";
import { openNotices } from "./hubs/notices.ts";
import { watchForOlderStore } from "./hubs/older-store.ts";
import { withinTime, withPatience } from "./hubs/patience.ts";
import { keepRevoked } from "./hubs/revocations.ts";
import { startElection } from "./leader/leader-election.ts";
import { openInbox } from "./members/inbox.ts";
import { keepAllow } from "./members/keep-allow.ts";
import { createPresence } from "./members/live-presence.ts";
import { createMemberBoxes } from "./members/member-boxes.ts";
import { createMemberBudget } from "./members/member-budget.ts";
import { createMessageCounts } from "./members/message-counts.ts";
import type { Messenger } from "./members/messenger.ts";
import { createOutbox } from "./members/nats-messenger.ts";
import { createOrderPusher } from "./members/order-pusher.ts";
import { partTwins } from "./members/part-twins.ts";
import { createSaidNow } from "./members/said-now.ts";
import { createSyncDesk } from "./members/sync-desk.ts";
import { createVouchers } from "./members/vouchers.ts";
import { createServiceOperations } from "./services/create-service-operations.ts";
import { guardStore } from "./store/guard-store.ts";
import { createIndex } from "./store/memory-index.ts";
import { openStore } from "./store/open-store.ts";

const CONNECT_TIMEOUT_MS = 30_000;
/** Longest wait for what the buckets hold, ms; a million services take 20 s. */
const LOAD_TIMEOUT_MS = 120_000;

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
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const { system, link, control, facts } = await reachEngine({
    hub,
    id,
    connectTimeoutMs,
    logger,
    onOpened: (undo) => opened.push(undo),
  });

  const trust: EngineTrust = { problem: undefined };
  const engine = watchEngine({ link, system, control, first: facts, trust, clock, logger });
  opened.push(() => engine.close());

  const replicas = facts.size >= 3 ? 3 : 1;
  const {
    store: bare,
    isNew,
    sweep,
    reseal,
    isOnOneServer,
  } = await withPatience(connectTimeoutMs, () =>
    openStore({ fleet, link, dataKeys, replicas, logger }),
  );
  if (isNew) await storeFirstToken(bare, hub, clock);
  const store = guardStore(bare, () => trust.problem);
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
  const loaded = Promise.all([index.loaded(), tokens.loaded()]);
  await withinTime(LOAD_TIMEOUT_MS, "reading the store", loaded);

  const counts = createMessageCounts();
  const notices = openNotices({ fleet, id: nonce, link, dataKeys, counts, logger });
  const runs = () => [nonce, ...notices.hubs()];
  const saidNow = createSaidNow();
  const news = createNews(notices, clock, logger);
  engine.tellTo(news);
  const election = startElection({
    hub: id,
    nonce,
    records: store.leader,
    readsAreLast: isOnOneServer,
    clock,
    logger,
  });
  const presence = createPresence(index, clock);
  const boxes = createMemberBoxes(secrets, index);
  const guard = guardAgainstFloods({
    ...{ index, control, leadership: election, news, notices, clock, logger },
    isConnected: () => link.isConnected(),
  });
  const budget = createMemberBudget(clock, (mid) => guard.cut(mid, "it floods this hub"));
  const outbox = createOutbox({
    ...{ fleet, link, boxes, presence, budget, counts, logger },
    nameOf: (mid) => index.members.get(mid)?.value.name,
  });
  const heartbeats = watchHeartbeats({
    index,
    presence,
    outbox,
    leadership: election,
    news,
    clock,
    runs,
  });
  const vouchers = createVouchers(fleet, dataKeys, () => store.identity.nonce);
  const inbox = openInbox({
    fleet,
    link,
    boxes,
    presence,
    budget,
    counts,
    logger,
    run: nonce,
    runs,
    saidNow,
    answerSync: createSyncDesk({
      index,
      presence,
      bucket: () => store.identity.nonce,
      clock,
      storeRevision: () => store.services.revision(),
      onOlder: watchForOlderStore(store, news),
      vouchers,
      logger,
      runs,
      hubKeys: secrets.allBoxKeys.map(({ publicKey }) => publicKey),
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
    vouchers,
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
    vouchers,
    clock,
    logger,
  });
  const unlease = inbox.onLease((mid, request) => operations.lease(mid, request));
  const unnotice = notices.on((notice) => {
    if (notice.kind === "reports") presence.reported(notice.mid, notice.reports);
    else if (notice.kind === "resume") operations.resumeFailover(ITSELF);
  });
  const unkeep = keepAllow({ index, presence, store, clock, logger });
  const unmember = index.onMember((mid, now) => {
    if (now !== undefined && !now.value.evicted) return;
    presence.forget(mid);
    saidNow.forget(mid);
    budget.forget(mid);
  });
  const unreread = index.onReread(heartbeats.resyncAll);
  const unlost = index.onLost((keys) => {
    const text = `${keys.length} records are gone from the store without having been removed`;
    news.alarm("store-older", true, text);
  });
  const unrevoke = keepRevoked({
    index,
    leadership: election,
    control,
    link: system,
    clock,
    logger,
  });
  const untwin = partTwins({ index, store, leadership: election, audit, logger });
  const unsweep = sweepDaily({
    ...{ sweep, reseal, leadership: election, clock, logger },
    problem: () => trust.problem,
  });
  const passer = createPasser({ messenger, presence });
  const instances = createInstanceEvents({ messenger, presence, index, clock, logger });
  const events = createFleetEvents({
    index,
    presence,
    news,
    instances,
    isGood: tokens.isGood,
    clock,
    logger,
  });
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
          read: () =>
            index.members.size + index.services.size === 0 ? undefined : operations.export(),
          clock,
          logger,
        });

  const facade = createFleetFacade({
    store,
    index,
    presence,
    operations,
    orders: pusher,
    tokens,
    masters,
    events,
    asker: { passer, presence },
    audit,
    join: createJoinDesk({
      ...{ hub, store, index, tokens, audit, clock, logger, runs },
      waitOf: guard.waitOf,
    }),
    news,
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

  const end = () => {
    events.close();
    for (const stop of [
      unexport,
      unreread,
      untwin,
      unsweep,
      unlease,
      unnotice,
      unkeep,
      unmember,
      unlost,
      unrevoke,
    ])
      stop();
    operations.close();
    pusher.close();
    const resigned = election.close();
    instances.close();
    passer.close();
    heartbeats.close();
    guard.close();
    inbox.close();
    outbox.close();
    presence.close();
    engine.close();
    news.close();
    notices.close();
    tokens.close();
    index.close();
    return resigned;
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      await end();
      await Promise.all([link.close(), system.close()]);
    })();
    return closing;
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
