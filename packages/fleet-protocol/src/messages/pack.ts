import type { z } from "zod";
import { Packr } from "#msgpackr";

/** A message that does not unpack or has another shape; counted and dropped by who gets it. */
export class MessageError extends Error {
  override readonly name = "MessageError";
  readonly code = "BAD_MESSAGE";
}

// Plain MessagePack: no records, no extensions that a sender could make the reader build things by.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

/** @returns MessagePack */
export function packMessage(message: unknown): Uint8Array {
  return packr.pack(message);
}

/**
 * Unpacks and checks.
 *
 * @throws {MessageError} naming the field, never quoting its value
 */
export function unpackMessage<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
): z.output<Schema> {
  let unpacked: unknown;
  try {
    unpacked = packr.unpack(bytes);
  } catch {
    throw new MessageError("no MessagePack");
  }
  const read = schema.safeParse(unpacked);
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.map(String).join(".");
  throw new MessageError(`another shape at ${where === "" ? "the top" : where}`);
}
