import { GoStateError } from "../go-state-error.ts";
import { GobReader } from "./gob-reader.ts";
import { BASIC_TYPES, describedType, type GobType, type GobValue, WIRE_TYPE } from "./gob-types.ts";

/** Deepest nesting of values. */
const MAX_DEPTH = 32;
/** Most types that one file may describe. */
const MAX_TYPES = 256;

/**
 * Decodes a file that holds one gob value.
 *
 * Layout: messages, each a length and that many bytes: a type id, negative before the description of
 * a type, positive before the value. A value that is no struct has a zero byte in front.
 *
 * @returns integers as bigint, structs as maps from field names (fields that are zero are absent)
 * @throws {GoStateError} `GOB_INVALID` for what is no gob, damaged or cut short, `GOB_UNSUPPORTED`
 *   for interface values and complex numbers, which no state file has
 * @see https://pkg.go.dev/encoding/gob, "Encoding Details"
 */
export function decodeGob(bytes: Uint8Array): GobValue {
  const file = new GobReader(bytes);
  const types = new Map(BASIC_TYPES);
  while (file.remaining > 0) {
    const message = file.message();
    const id = message.smallInt();
    if (id < 0) {
      const type = describedType(decodeValue(message, WIRE_TYPE, types, 0));
      if (type === undefined) throw message.invalid(`type ${-id} is described as nothing`);
      if (BASIC_TYPES.has(-id)) throw message.invalid(`type ${-id} is described anew`);
      if (types.size >= BASIC_TYPES.size + MAX_TYPES) throw message.invalid("too many types");
      types.set(-id, type);
      expectEnd(message, "the description of a type");
      continue;
    }
    if (types.get(id)?.kind !== "struct" && message.uint() !== 0n) {
      throw message.invalid("a value begins with something else than zero");
    }
    const value = decodeValue(message, id, types, 0);
    expectEnd(message, "the value");
    expectEnd(file, "the file");
    return value;
  }
  throw file.invalid("the file ends before its value");
}

function expectEnd(reader: GobReader, what: string): void {
  if (reader.remaining > 0) throw reader.invalid(`${reader.remaining} bytes too many for ${what}`);
}

function decodeValue(
  reader: GobReader,
  id: number,
  types: ReadonlyMap<number, GobType>,
  depth: number,
): GobValue {
  const type = types.get(id);
  if (type === undefined) throw reader.invalid(`a value of the unknown type ${id}`);
  if (depth > MAX_DEPTH) throw reader.invalid(`values nested deeper than ${MAX_DEPTH}`);
  switch (type.kind) {
    case "bool":
      return reader.bool();
    case "int":
      return reader.int();
    case "uint":
      return reader.uint();
    case "float":
      return reader.float();
    case "string":
      return reader.string();
    case "bytes":
    case "opaque":
      return reader.bytes();
    case "struct":
      return decodeStruct(reader, type.fields, types, depth);
    case "map": {
      const map = new Map<GobValue, GobValue>();
      for (let left = reader.count("a map"); left > 0; left--) {
        const key = decodeValue(reader, type.key, types, depth + 1);
        if (map.has(key)) throw reader.invalid("a map's key comes twice");
        map.set(key, decodeValue(reader, type.element, types, depth + 1));
      }
      return map;
    }
    case "array":
    case "slice": {
      const list: GobValue[] = [];
      for (let left = reader.count("a list"); left > 0; left--) {
        list.push(decodeValue(reader, type.element, types, depth + 1));
      }
      return list;
    }
    case "interface":
    case "complex":
      throw new GoStateError(
        "GOB_UNSUPPORTED",
        `a value of kind ${type.kind} at byte ${reader.position}`,
      );
  }
}

/** Each field that is not zero: its distance from the one before, its value; then 0. */
function decodeStruct(
  reader: GobReader,
  fields: Extract<GobType, { kind: "struct" }>["fields"],
  types: ReadonlyMap<number, GobType>,
  depth: number,
): Map<GobValue, GobValue> {
  const struct = new Map<GobValue, GobValue>();
  let index = -1;
  for (;;) {
    const distance = reader.uint();
    if (distance === 0n) return struct;
    index += Number(distance);
    const field = fields[index];
    if (field === undefined) throw reader.invalid(`a struct of ${fields.length} fields has more`);
    struct.set(field.name, decodeValue(reader, field.type, types, depth + 1));
  }
}
