import { openAtRest, packMessage, sealAtRest, unpackMessage } from "@nodepass/fleet-protocol";
import type { z } from "zod";
import { StoreError } from "./fleet-store.ts";

/** A record at most, packed, bytes. Section 4. */
export const MAX_RECORD_BYTES = 65_536;

/** Turns records of one kind into what the engine keeps, and back. */
export interface RecordCodec<Value> {
  /** @throws {StoreError} `TOO_LARGE` */
  encode(key: string, value: Value): Uint8Array;
  /** @throws an error that says what is wrong and quotes nothing */
  decode(key: string, bytes: Uint8Array): Value;
}

/**
 * @param bucket its name is sealed in, so that no record can be put into another place
 * @param dataKeys the first seals, all open
 */
export function sealedRecord<Schema extends z.ZodType>(
  bucket: string,
  schema: Schema,
  dataKeys: readonly Uint8Array[],
): RecordCodec<z.output<Schema>> {
  const [dataKey] = dataKeys;
  if (dataKey === undefined) throw new StoreError("UNAVAILABLE", "the hub has no data key");
  return {
    encode: (key, value) => {
      const packed = packMessage(value);
      if (packed.byteLength > MAX_RECORD_BYTES) {
        const found = `${packed.byteLength} bytes exceeds ${MAX_RECORD_BYTES}`;
        throw new StoreError("TOO_LARGE", `record ${key} of ${found}`);
      }
      return sealAtRest(dataKey, `${bucket}/${key}`, packed);
    },
    decode: (key, bytes) => unpackMessage(schema, openAtRest(dataKeys, `${bucket}/${key}`, bytes)),
  };
}
