import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { StoreError } from "./fleet-store.ts";

const CONFLICTS: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

/** What went wrong at the engine, as a {@link StoreError}; anything but a lost race is `UNAVAILABLE`. */
export function storeFailure(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof JetStreamApiError && CONFLICTS.includes(error.code)) {
    return new StoreError("CONFLICT", `${what} was changed by another`, { cause: error });
  }
  const why = error instanceof Error ? error.message : "no answer";
  return new StoreError("UNAVAILABLE", `the engine did not take ${what}: ${why}`, {
    cause: error,
  });
}
