/**
 * The few values of ASN.1 that a certificate is made of, in DER.
 *
 * @see ITU-T X.690, section 8 (identifier, length, contents) and section 10 (DER)
 */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function value(type: number, contents: Uint8Array): Buffer {
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.from([type, length]), contents]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([type, 0x80 | bytes.length]), bytes, contents]);
}

/** Values one after the other. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return value(tag.sequence, Buffer.concat(parts));
}

/** A set of one value. */
export function setOf(part: Uint8Array): Buffer {
  return value(tag.set, part);
}

/** A positive number, big-endian; a zero byte keeps the sign bit clear. */
export function integer(bytes: Uint8Array): Buffer {
  const signed = (bytes[0] ?? 0) >= 0x80;
  return value(tag.integer, signed ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** Bytes as bits, the last so many of them unused. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return value(tag.bitString, Buffer.concat([Buffer.of(unused), bytes]));
}

export function octetString(bytes: Uint8Array): Buffer {
  return value(tag.octetString, bytes);
}

export function boolean(isTrue: boolean): Buffer {
  return value(tag.boolean, Buffer.of(isTrue ? 0xff : 0));
}

/** An identifier such as `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift(0x80 | (left & 0x7f));
    bytes.push(...septets);
  }
  return value(tag.objectIdentifier, Buffer.from(bytes));
}

export function utf8String(text: string): Buffer {
  return value(tag.utf8String, Buffer.from(text));
}

/** A moment, UTC, in seconds; as UTCTime before 2050, as RFC 5280, section 4.1.2.5, wants it. */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replaceAll(/\D/g, "").slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? value(tag.utcTime, Buffer.from(text.slice(2)))
    : value(tag.generalizedTime, Buffer.from(text));
}

/** A value under a tag of its context, such as `[0]` of a certificate's version. */
export function explicit(number: number, part: Uint8Array): Buffer {
  return value(0xa0 | number, part);
}

/** Bytes under a tag of their context, such as `[2]` of a certificate's DNS names. */
export function contextual(number: number, bytes: Uint8Array): Buffer {
  return value(0x80 | number, bytes);
}
