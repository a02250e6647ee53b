import { StoreError } from "./store-error.ts";

/** What {@link assertPlainMessagePack} lets through. */
export interface PlainMessagePackOptions {
  /** Deepest nesting of maps and arrays. */
  maxDepth: number;
  /** Allow `bin` values. */
  binary: boolean;
}

interface Container {
  isMap: boolean;
  /** Keys and values still to come. */
  remaining: number;
}

/** Bytes that follow the type byte of a value of fixed size. */
const SCALARS: Readonly<Record<number, number>> = {
  192: 0, // nil
  194: 0, // false
  195: 0, // true
  202: 4, // float32
  203: 8, // float64
  204: 1, // uint8
  205: 2, // uint16
  206: 4, // uint32
  207: 8, // uint64
  208: 1, // int8
  209: 2, // int16
  210: 4, // int32
  211: 8, // int64
};

/** Bytes of the length that follows the type byte of the others. */
const LENGTH_BYTES: Readonly<Record<number, number>> = {
  196: 1, // bin8
  197: 2, // bin16
  198: 4, // bin32
  217: 1, // str8
  218: 2, // str16
  219: 4, // str32
  220: 2, // array16
  221: 4, // array32
  222: 2, // map16
  223: 4, // map32
};

function bad(what: string, offset: number): StoreError {
  return new StoreError("UNREADABLE", `${what} at byte ${offset}`);
}

/**
 * Walks over one MessagePack document without building anything of it.
 *
 * Only what a state is made of passes: maps with string keys, arrays, strings, numbers, booleans,
 * nil and perhaps binary. Extension types are refused because msgpackr makes objects of them
 * (errors, regular expressions, records); lengths that exceed the input are refused before anybody
 * allocates for them; depth is limited because msgpackr recurses.
 *
 * @throws {StoreError} `UNREADABLE`
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function assertPlainMessagePack(bytes: Uint8Array, options: PlainMessagePackOptions): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: Container[] = [];
  let offset = 0;

  const readLength = (width: number): number => {
    if (offset + width > bytes.length) throw bad("it ends inside a length", offset);
    const length =
      width === 1
        ? view.getUint8(offset)
        : width === 2
          ? view.getUint16(offset)
          : view.getUint32(offset);
    offset += width;
    return length;
  };
  const skip = (count: number): void => {
    if (count > bytes.length - offset) throw bad("it ends inside a value", offset);
    offset += count;
  };
  const enter = (isMap: boolean, entries: number): void => {
    const remaining = isMap ? entries * 2 : entries;
    if (remaining > bytes.length - offset) throw bad("it ends inside a map or array", offset);
    if (stack.length >= options.maxDepth) throw bad("it is nested too deeply", offset);
    stack.push({ isMap, remaining });
  };

  do {
    const parent = stack.at(-1);
    const isKey = parent?.isMap === true && parent.remaining % 2 === 0;
    if (parent !== undefined) parent.remaining--;
    const start = offset;
    const type = bytes[offset++];
    if (type === undefined) throw bad("it ends before a value", start);
    const isText = (type >= 0xa0 && type <= 0xbf) || (type >= 0xd9 && type <= 0xdb);
    if (isKey && !isText) throw bad("a key is not text", start);

    if (type <= 0x7f || type >= 0xe0) {
      // A small integer: nothing follows.
    } else if (type <= 0x8f) enter(true, type & 0x0f);
    else if (type <= 0x9f) enter(false, type & 0x0f);
    else if (type <= 0xbf) skip(type & 0x1f);
    else {
      const scalar = SCALARS[type];
      const width = LENGTH_BYTES[type];
      if (scalar !== undefined) skip(scalar);
      else if (width === undefined) throw bad(`type 0x${type.toString(16)} is not allowed`, start);
      else if (type >= 0xde) enter(true, readLength(width));
      else if (type >= 0xdc) enter(false, readLength(width));
      else if (isText || options.binary) skip(readLength(width));
      else throw bad("binary is not allowed", start);
    }
    while (stack.at(-1)?.remaining === 0) stack.pop();
  } while (stack.length > 0);

  if (offset !== bytes.length) throw bad("data follows the document", offset);
}
