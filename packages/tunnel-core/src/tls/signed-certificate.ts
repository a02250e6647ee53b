import { type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import {
  bitString,
  boolean,
  contextual,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

/** What stands in a certificate. */
export interface CertificateFields {
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** Who signs it. @default itself */
  readonly issuer?: string | undefined;
  /** The signer's. */
  readonly privateKey: KeyObject;
  /** Others may be signed with its key. @default a certificate that says nothing of it */
  readonly isAuthority?: boolean | undefined;
  /** DNS names, and IP addresses as bytes, that it is good for. @default none are named */
  readonly names?: readonly (string | Uint8Array)[] | undefined;
}

/**
 * A certificate with ECDSA P-256 keys. Node makes none, and the libraries that do bring some twenty
 * packages along for it.
 *
 * @see RFC 5280, section 4.1 (fields) and 4.2.1 (extensions); RFC 5758, section 3.2 (ecdsa-with-SHA256)
 */
export function signedCertificate(fields: CertificateFields): X509Certificate {
  const { commonName, notBefore, notAfter, publicKey, privateKey, issuer = commonName } = fields;
  const algorithm = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  // A positive number of at most 20 bytes that begins with no zero.
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  const version3 = explicit(0, integer(Buffer.of(2)));
  const extensions = extensionsOf(fields);
  const toBeSigned = sequence(
    version3,
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  return new X509Certificate(sequence(toBeSigned, algorithm, bitString(signature)));
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier("2.5.4.3"), utf8String(commonName))));
}

function extensionsOf({ isAuthority, names = [] }: CertificateFields): Buffer[] {
  const extensions: Buffer[] = [];
  const add = (id: string, contents: Buffer, critical: boolean) =>
    extensions.push(
      sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(contents)),
    );
  if (isAuthority !== undefined) {
    // Basic constraints; false is the default, which DER leaves out.
    add("2.5.29.19", sequence(...(isAuthority ? [boolean(true)] : [])), true);
    // Key usage: signing of certificates (bit 5) or of handshakes (bit 0).
    add("2.5.29.15", bitString(Buffer.of(isAuthority ? 0x04 : 0x80), isAuthority ? 2 : 7), true);
  }
  if (names.length > 0) {
    const general = names.map((name) =>
      typeof name === "string" ? contextual(2, Buffer.from(name)) : contextual(7, name),
    );
    add("2.5.29.17", sequence(...general), false);
  }
  return extensions;
}
