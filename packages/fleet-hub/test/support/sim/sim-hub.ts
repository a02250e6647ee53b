import { createHmac, timingSafeEqual } from "node:crypto";
import type { Done, Lease, LeaseRequest, Sync, Synced } from "@nodepass/fleet-protocol";
import { type Logger, NAME_TAG, OWNER_TAG, SILENT_LOGGER } from "@nodepass/model";
import type { Alarm } from "@nodepass/model/fleet";
import { createAuditor } from "../../../src/access/store-auditor.ts";
import { type Election, startElection } from "../../../src/leader/leader-election.ts";
import { createPresence, type LivePresence } from "../../../src/members/live-presence.ts";
import { createOrderPusher, type LiveOrderPusher } from "../../../src/members/order-pusher.ts";
import { createSyncDesk } from "../../../src/members/sync-desk.ts";
import { createVouchers } from "../../../src/members/vouchers.ts";
import { createServiceOperations } from "../../../src/services/create-service-operations.ts";
import type { FleetNews, ServiceOperations } from "../../../src/services/service-operations.ts";
import { type FleetStore, StoreError } from "../../../src/store/fleet-store.ts";
import { createIndex, type LiveIndex } from "../../../src/store/memory-index.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Network } from "./network.ts";
import { ProcessClock, type VirtualTime } from "./virtual-time.ts";

/** What hubs tell each other; here at once. */
export class SharedNews {
  readonly alarms = new Map<Alarm, string>();
  readonly failovers: Parameters<FleetNews["failover"]>[0][] = [];

  readonly news: FleetNews = {
    failover: (event) => {
      this.failovers.push(event);
    },
    alarm: (alarm, raised, message) => {
      if (raised) this.alarms.set(alarm, message);
      else this.alarms.delete(alarm);
    },
    isRaised: (alarm) => this.alarms.has(alarm),
  };
}

/** What a simulated hub is made of. */
export interface SimHubOptions {
  readonly id: string;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly store: MemoryStore;
  readonly news: SharedNews;
  readonly offset: number;
  /** One way to the store, ms. */
  readonly storeDelay: () => number;
  /** Until a watch tells of a write, ms. */
  readonly watchLag: () => number;
  readonly logger?: Logger | undefined;
}

const KEY = "the fleet's";
const sign = (body: Uint8Array) => createHmac("sha256", KEY).update(body).digest();

/** A hub with everything but sockets: its store, its network and its clock are a world's. */
export class SimHub {
  readonly id: string;
  readonly clock: ProcessClock;
  readonly index: LiveIndex;
  readonly presence: LivePresence;
  readonly election: Election;
  readonly operations: ServiceOperations;
  readonly answerSync: (mid: string, sync: Sync) => Synced;
  readonly #pusher: LiveOrderPusher;
  readonly store: FleetStore;

  static async start(options: SimHubOptions): Promise<SimHub> {
    const { id, time, network, store, offset, storeDelay, watchLag } = options;
    const clock = new ProcessClock(time, offset);
    const seen = store.seenBy({
      cross: async () => {
        // Frozen before it is sent, on its way, or before the answer is looked at.
        await clock.ready();
        await time.wait(storeDelay());
        if (network.cut.has(id)) throw new StoreError("UNAVAILABLE", "cut off");
        await clock.ready();
      },
      lag: () => (network.cut.has(id) ? 50 + watchLag() : watchLag()),
      after: (delayMs, run) => {
        const arrive = () => {
          // A watch goes on where it was when the connection is back.
          if (network.cut.has(id)) time.after(50, arrive);
          else void clock.ready().then(run);
        };
        time.after(delayMs, arrive);
      },
    });
    return new SimHub(options, clock, seen, await createIndex(seen));
  }

  private constructor(
    { id, network, news, store, logger = SILENT_LOGGER }: SimHubOptions,
    clock: ProcessClock,
    seen: FleetStore,
    index: LiveIndex,
  ) {
    this.id = id;
    this.clock = clock;
    this.store = seen;
    this.index = index;
    this.presence = createPresence(index, clock);
    this.election = startElection({
      hub: id,
      nonce: id,
      records: seen.leader,
      readsAreLast: () => Promise.resolve(true),
      clock,
      logger,
    });
    const messenger = {
      apply: (mid: string, message: Parameters<Network["apply"]>[2]) =>
        network.apply(this, mid, message),
      prepare: (mid: string, message: Parameters<Network["prepare"]>[2]) =>
        network.prepare(this, mid, message),
      api: (mid: string, { path }: { readonly path: string }) => {
        const instance = decodeURIComponent(path.split("/").at(-1) ?? "");
        return Promise.resolve(apiAnswer(network, mid, instance));
      },
      closeStream: () => undefined,
      credit: () => undefined,
      watch: () => undefined,
      evict: () => undefined,
      resync: () => undefined,
      onDone: () => () => undefined,
      onEvent: () => () => undefined,
      onLease: () => () => undefined,
    };
    const vouchers = createVouchers("sim", [new Uint8Array(32)], () => store.identity.nonce);
    this.#pusher = createOrderPusher({
      index,
      presence: this.presence,
      messenger,
      leadership: this.election,
      vouchers,
      clock,
      logger,
      onApplied: () => undefined,
    });
    this.answerSync = createSyncDesk({
      index,
      presence: this.presence,
      bucket: () => store.identity.nonce,
      clock,
      storeRevision: () => seen.services.revision(),
      onOlder: () => news.news.alarm("store-older", true, "older"),
      vouchers,
      logger,
      hubKeys: [new Uint8Array(32)],
      runs: () => [],
    });
    this.operations = createServiceOperations({
      fleet: "sim",
      hub: id,
      store: seen,
      index,
      presence: this.presence,
      messenger,
      leadership: this.election,
      orders: this.#pusher,
      audit: createAuditor(seen, clock, logger),
      news: news.news,
      vouchers,
      signature: {
        sign: (body) => sign(body).toString("base64url"),
        verify: (body, signature) => {
          const given = Buffer.from(signature, "base64url");
          return given.length === 32 && timingSafeEqual(given, sign(body));
        },
      },
      clock,
      logger,
    });
    this.operations.start();
    network.hubs.push(this);
  }

  done(mid: string, { reports }: Done): void {
    this.presence.sealedWord(mid);
    this.presence.reported(mid, reports);
  }

  lease(mid: string, request: LeaseRequest): Lease | undefined {
    if (this.presence.isEvicted(mid, request.session)) return undefined;
    this.presence.sealedWord(mid);
    return this.operations.lease(mid, request);
  }

  /** kill -9. */
  kill(network: Network): void {
    this.clock.kill();
    network.hubs.splice(network.hubs.indexOf(this), 1);
  }

  close(): void {
    this.operations.close();
    this.#pusher.close();
    this.presence.close();
    void this.election.close();
    this.index.close();
    this.clock.kill();
  }
}

/** As a file for that member alone has marked it. */
const MARKS = { [OWNER_TAG]: "site", [NAME_TAG]: "web" };

/** A member's API, as far as adopting an instance needs it. */
function apiAnswer(network: Network, mid: string, instance: string) {
  const found = network.members.get(mid)?.local.get(instance);
  const body =
    found === undefined
      ? {}
      : {
          id: instance,
          alias: found.alias,
          status: "running",
          url: found.url,
          meta: { peer: { sid: "", type: "", alias: "" }, tags: { kept: "yes", ...MARKS } },
        };
  return {
    status: found === undefined ? 404 : 200,
    headers: [],
    body: new TextEncoder().encode(JSON.stringify(body)),
    streamed: false,
  };
}
