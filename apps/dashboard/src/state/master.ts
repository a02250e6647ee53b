import {
  createMasterClient,
  followEvents,
  type MasterClient,
  parseMasterAddress,
  type RemoteEvent,
} from "@nodepass/master-client";
import type { KeyAccess } from "@nodepass/model";
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Followed, keepFollowing } from "./keep-following.ts";
import { Rows } from "./rows.ts";

/** What a master says of itself; empty until it has. */
export type MasterFacts = Readonly<Record<string, unknown>>;

/** A master that is followed: its instances are here as they are there. */
export interface Master extends Followed {
  readonly client: MasterClient;
  readonly facts: ReadonlySignal<MasterFacts>;
  /** Its instances; {@link Master.changes} tells when to look again. */
  readonly rows: Rows;
  readonly changes: ReadonlySignal<number>;
  /** Whether it has told of all its instances once. */
  readonly isLoaded: ReadonlySignal<boolean>;
  /** Whether the key may do more than read; that it may, until it is known. */
  readonly mayChange: ReadonlySignal<boolean>;
  /** The key that it is asked with. */
  readonly key: () => string;
  /** Hears every event. @returns ends that */
  listen(listener: (event: RemoteEvent) => void): () => void;
  /** Asks again what it says of itself. */
  refreshFacts(): Promise<void>;
}

/** Pages are drawn anew at most this often for what comes in, ms. */
const REDRAW_MS = 200;
/** A client in this browser: events are opened by ticket where the master has tickets. */
export function createClient(url: string, key: string): MasterClient {
  return createMasterClient({ address: parseMasterAddress(url), key, eventTickets: true });
}

/**
 * Follows a master from now on, through its absences, until it is closed.
 *
 * @param askAccess what the key may do there. @default as the master says
 */
export function followMaster(
  url: string,
  initialKey: string,
  askAccess: (client: MasterClient) => Promise<KeyAccess> = (client) => client.access(),
): Master {
  let key = initialKey;
  let client = createClient(url, key);
  const facts = signal<MasterFacts>({});
  const changes = signal(0);
  const isLoaded = signal(false);
  const mayChange = signal(true);
  const rows = new Rows();
  const listeners = new Set<(event: RemoteEvent) => void>();
  let redraw: ReturnType<typeof setTimeout> | undefined;

  const changed = (): void => {
    redraw ??= setTimeout(() => {
      redraw = undefined;
      isLoaded.value ||= following.state.value === "live";
      changes.value += 1;
    }, REDRAW_MS);
  };

  const onEvent = (event: RemoteEvent): void => {
    const { type, instance } = event;
    if (instance !== undefined && type === "delete") rows.remove(instance.id);
    else if (instance !== undefined && type !== "log") rows.put(instance, performance.now());
    for (const listener of listeners) listener(event);
    if (type !== "log") changed();
  };

  const refreshFacts = async (): Promise<void> => {
    facts.value = await client.info();
  };

  const refreshAccess = async (): Promise<void> => {
    const asked = client;
    try {
      const access = await askAccess(asked);
      if (asked === client) mayChange.value = access === "full";
    } catch {
      // Who follows the events says what is wrong; the master refuses what the key may not.
    }
  };

  const following = keepFollowing(async ({ signal: ended, onOpen, onLost }) => {
    // What it is comes first: whether it has tickets, and whether the key is right.
    await refreshFacts();
    // NodePass 1.14 knows no tickets.
    if (facts.value.impl === undefined) {
      client = createMasterClient({ address: parseMasterAddress(url), key });
    }
    void refreshAccess();
    const opened = (): void => {
      onOpen();
      changed();
    };
    await followEvents(client, { signal: ended, onEvent, onOpen: opened, onLost });
  });

  return {
    url,
    get client() {
      return client;
    },
    state: following.state,
    reason: following.reason,
    facts,
    rows,
    changes,
    isLoaded,
    mayChange,
    key: () => key,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refreshFacts,
    useKey(other) {
      key = other;
      client.setKey(other);
      void refreshAccess();
      following.keyChanged();
    },
    retry: following.retry,
    close() {
      following.close();
      clearTimeout(redraw);
      listeners.clear();
    },
  };
}
