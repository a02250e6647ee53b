import { describeIssues } from "./encode-state.ts";
import { type MasterState, masterStateSchema, STATE_VERSION } from "./master-state.ts";
import { MIGRATIONS, type Migrations } from "./migrations.ts";
import { decodeEnvelope, unpackPlain } from "./state-envelope.ts";
import { StoreError } from "./store-error.ts";

/** A state and the version its file had. */
export interface DecodedState {
  state: MasterState;
  version: number;
}

/** State, instance list, instance, meta, tags: 5; the rest is room for older versions. */
const MAX_DEPTH = 16;

/**
 * Reads the bytes of a state file of this or an older version.
 *
 * @param migrations steps from older versions
 * @throws {StoreError} `UNREADABLE` if it is damaged or not a state, `FUTURE_VERSION` if it is whole
 * but of a newer program; nothing else, whatever the bytes
 */
export function decodeState(bytes: Uint8Array, migrations: Migrations = MIGRATIONS): DecodedState {
  const { version, body } = decodeEnvelope(bytes);
  if (version > STATE_VERSION) {
    throw new StoreError(
      "FUTURE_VERSION",
      `state file of version ${version} was written by a newer program; this one reads up to ${STATE_VERSION}`,
    );
  }
  const current = migrate(
    unpackPlain(body, { maxDepth: MAX_DEPTH, binary: false }),
    version,
    migrations,
  );
  const parsed = masterStateSchema.safeParse(current);
  if (!parsed.success) {
    throw new StoreError("UNREADABLE", `it is not a valid state: ${describeIssues(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  return { state: parsed.data, version };
}

function migrate(body: unknown, from: number, migrations: Migrations): unknown {
  let current = body;
  for (let version = from; version < STATE_VERSION; version++) {
    const step = migrations[version];
    if (step === undefined) {
      throw new StoreError("UNREADABLE", `there is no migration from version ${version}`);
    }
    try {
      current = step(current);
    } catch (error) {
      throw new StoreError("UNREADABLE", `migration from version ${version} failed`, {
        cause: error,
      });
    }
  }
  return current;
}
