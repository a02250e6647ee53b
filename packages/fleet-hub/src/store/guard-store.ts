import { type Bucket, type FleetStore, StoreError } from "./fleet-store.ts";

/**
 * The store as it is, but for what is written: while there is something against the engine nothing is
 * given to it, since it could lose what it acknowledges. The lead alone is kept: it is worth seconds, and
 * without it nobody would answer leases.
 *
 * @param problem what is against it; `undefined`: nothing
 */
export function guardStore(store: FleetStore, problem: () => string | undefined): FleetStore {
  const demand = () => {
    const why = problem();
    if (why !== undefined) throw new StoreError("UNAVAILABLE", `nothing is stored now: ${why}`);
  };
  const guarded = <Value, Own extends Omit<Bucket<Value>, "watch">>(
    bucket: Own & Omit<Bucket<Value>, "watch">,
  ): Own => ({
    ...bucket,
    create: async (key, value) => {
      demand();
      return bucket.create(key, value);
    },
    update: async (key, value, revision) => {
      demand();
      return bucket.update(key, value, revision);
    },
    remove: async (key, revision) => {
      demand();
      return bucket.remove(key, revision);
    },
  });
  return {
    ...store,
    // Another one when the bucket was made anew.
    get identity() {
      return store.identity;
    },
    services: guarded(store.services),
    members: guarded(store.members),
    auth: guarded(store.auth),
    names: guarded(store.names),
    audit: async (entry) => {
      demand();
      return store.audit(entry);
    },
  };
}
