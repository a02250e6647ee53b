import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { Packr } from "#msgpackr";
import { assertPlainMessagePack } from "./plain-message-pack.ts";
import { StoreError } from "./store-error.ts";

/** First field of every state file, of every version. */
const STATE_FORMAT = "nodepass-state";

/** What is around the state on disk. Its own layout stays the same for all versions to come. */
export interface StateEnvelope {
  version: number;
  /** The state, one MessagePack document; a view of what was read. */
  body: Uint8Array;
}

const envelopeSchema = z.strictObject({
  format: z.literal(STATE_FORMAT),
  version: z.number().int().nonnegative(),
  sha256: z.instanceof(Uint8Array),
  body: z.instanceof(Uint8Array),
});

// Maps on both sides: a key of a JavaScript object can be `__proto__`, `toJSON` or `constructor`,
// which msgpackr renames, calls or looks at.
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: false,
  moreTypes: false,
  structuredClone: false,
  int64AsType: "number",
});

/** MessagePack of a value made of `Map`s, arrays, strings, numbers, booleans and binary. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * Reads a document that {@link assertPlainMessagePack} let pass.
 *
 * @returns plain objects for maps; a key named `__proto__` is an own property like any other
 */
export function unpackPlain(
  bytes: Uint8Array,
  options: { maxDepth: number; binary: boolean },
): unknown {
  assertPlainMessagePack(bytes, options);
  return toObjects(packr.unpack(bytes));
}

function toObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toObjects);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, toObjects(item)]));
}

/** The version is under the checksum too, so a flipped bit in it does not look like the future. */
function checksum(version: number, body: Uint8Array): Buffer {
  return createHash("sha256").update(`${STATE_FORMAT} ${version}\n`).update(body).digest();
}

/** Lays out a state file: `{format, version, sha256, body}`. */
export function encodeEnvelope({ version, body }: StateEnvelope): Uint8Array {
  return pack(
    new Map<string, unknown>([
      ["format", STATE_FORMAT],
      ["version", version],
      ["sha256", checksum(version, body)],
      ["body", body],
    ]),
  );
}

/**
 * Reads the outer layer of a state file and compares the checksum.
 *
 * @throws {StoreError} `UNREADABLE` if it is not a whole, undamaged state file
 */
export function decodeEnvelope(bytes: Uint8Array): StateEnvelope {
  if (bytes.length === 0) throw new StoreError("UNREADABLE", "the file is empty");
  const parsed = envelopeSchema.safeParse(unpackPlain(bytes, { maxDepth: 1, binary: true }));
  if (!parsed.success) {
    throw new StoreError("UNREADABLE", "it is not a state file", { cause: parsed.error });
  }
  const { version, sha256, body } = parsed.data;
  const expected = checksum(version, body);
  if (sha256.length !== expected.length || !timingSafeEqual(sha256, expected)) {
    throw new StoreError("UNREADABLE", "its checksum does not match its content");
  }
  return { version, body };
}
