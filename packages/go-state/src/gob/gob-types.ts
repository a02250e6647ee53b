/** What a value of a type looks like in a gob. */
export type GobType =
  | { readonly kind: "bool" | "int" | "uint" | "float" | "bytes" | "string" | "complex" }
  | { readonly kind: "interface" | "opaque" }
  | { readonly kind: "array"; readonly element: number; readonly length: number }
  | { readonly kind: "slice"; readonly element: number }
  | { readonly kind: "map"; readonly key: number; readonly element: number }
  | { readonly kind: "struct"; readonly fields: readonly GobField[] };

export interface GobField {
  readonly name: string;
  /** Id of the field's type. */
  readonly type: number;
}

/** A decoded value. Structs are maps from field names; fields that are zero are not in them. */
export type GobValue =
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly GobValue[]
  | Map<GobValue, GobValue>;

const struct = (...fields: ReadonlyArray<readonly [name: string, type: number]>): GobType => ({
  kind: "struct",
  fields: fields.map(([name, type]) => ({ name, type })),
});

const INT = 2;
const STRING = 6;
const COMMON_TYPE = 18;
const FIELD_TYPE = 21;
const FIELD_TYPES = 22;

/** Id of the type that describes types. */
export const WIRE_TYPE = 16;

/**
 * The types that every gob begins with: those of Go, and those in which others are described.
 *
 * @see https://pkg.go.dev/encoding/gob, "Encoding Details", the list of ids
 */
export const BASIC_TYPES: ReadonlyMap<number, GobType> = new Map<number, GobType>([
  [1, { kind: "bool" }],
  [INT, { kind: "int" }],
  [3, { kind: "uint" }],
  [4, { kind: "float" }],
  [5, { kind: "bytes" }],
  [STRING, { kind: "string" }],
  [7, { kind: "complex" }],
  [8, { kind: "interface" }],
  [
    WIRE_TYPE,
    struct(
      ["ArrayT", 17],
      ["SliceT", 19],
      ["StructT", 20],
      ["MapT", 23],
      ["GobEncoderT", 24],
      ["BinaryMarshalerT", 24],
      ["TextMarshalerT", 24],
    ),
  ],
  [17, struct(["CommonType", COMMON_TYPE], ["Elem", INT], ["Len", INT])],
  [COMMON_TYPE, struct(["Name", STRING], ["Id", INT])],
  [19, struct(["CommonType", COMMON_TYPE], ["Elem", INT])],
  [20, struct(["CommonType", COMMON_TYPE], ["Field", FIELD_TYPES])],
  [FIELD_TYPE, struct(["Name", STRING], ["Id", INT])],
  [FIELD_TYPES, { kind: "slice", element: FIELD_TYPE }],
  [23, struct(["CommonType", COMMON_TYPE], ["Key", INT], ["Elem", INT])],
  [24, struct(["CommonType", COMMON_TYPE])],
]);

/** The type that a decoded description describes; `undefined` if it describes none. */
export function describedType(description: GobValue): GobType | undefined {
  const [kind, body] = [...asMap(description)][0] ?? [];
  const name = typeof kind === "string" ? kind : "";
  const given = asMap(body);
  const id = (field: string): number => {
    const value = given.get(field);
    return typeof value === "bigint" ? Number(value) : 0;
  };
  switch (name) {
    case "ArrayT":
      return { kind: "array", element: id("Elem"), length: id("Len") };
    case "SliceT":
      return { kind: "slice", element: id("Elem") };
    case "MapT":
      return { kind: "map", key: id("Key"), element: id("Elem") };
    case "StructT": {
      const fields = given.get("Field");
      return { kind: "struct", fields: Array.isArray(fields) ? fields.map(describedField) : [] };
    }
    case "GobEncoderT":
    case "BinaryMarshalerT":
    case "TextMarshalerT":
      return { kind: "opaque" };
    default:
      return undefined;
  }
}

function describedField(description: GobValue): GobField {
  const given = asMap(description);
  const name = given.get("Name");
  const type = given.get("Id");
  return {
    name: typeof name === "string" ? name : "",
    type: typeof type === "bigint" ? Number(type) : 0,
  };
}

function asMap(value: GobValue | undefined): ReadonlyMap<GobValue, GobValue> {
  return value instanceof Map ? value : new Map();
}
