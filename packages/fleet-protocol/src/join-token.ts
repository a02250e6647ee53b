import { z } from "zod";
import { MessageError } from "./messages/pack.ts";

/** What a join token begins with: the version of its text. */
export const JOIN_TOKEN_PREFIX = "np1_";

/** Longest text of a join token, characters. */
const MAX_TOKEN_CHARACTERS = 4096;

/** A fingerprint as `fingerprintOf` and masters write it. */
const KEY_FINGERPRINT = /^sha256:[\w-]{43}$/;
const CERTIFICATE_FINGERPRINT = /^sha256:(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

const JoinTokenSchema = z.object({
  /** Of a hub's API with its prefix: `https://hub.example/api`. */
  url: z.url({ protocol: /^https?$/ }).max(1024),
  /** Fingerprint of the fleet's X25519 key (`fingerprintOf`): whoever answers must have it. */
  fp: z.string().regex(KEY_FINGERPRINT),
  /** Names the token in the bucket; not secret. */
  id: z.string().min(1).max(64),
  secret: z.string().min(16).max(256),
  /** SHA-256 of the hub's certificate, `sha256:AA:BB:…`, where no authority vouches for it. */
  ca: z.string().regex(CERTIFICATE_FINGERPRINT).optional(),
});

/** What lets a master into a fleet, and tells it the fleet from an impostor. The secret is a secret. */
export type JoinToken = z.infer<typeof JoinTokenSchema>;

/** One word, to be given to `nodepass-master --join`: `np1_` and JSON in base64url. */
export function encodeJoinToken(token: JoinToken): string {
  const { url, fp, id, secret, ca } = JoinTokenSchema.parse(token);
  const json = JSON.stringify({ url, fp, id, secret, ...(ca !== undefined && { ca }) });
  return `${JOIN_TOKEN_PREFIX}${Buffer.from(json).toString("base64url")}`;
}

/**
 * Reads the text of {@link encodeJoinToken}; white space around it and line breaks in it, as terminals
 * and files add them, do not count.
 *
 * @throws {MessageError} naming the field; never quoting the token
 */
export function decodeJoinToken(text: string): JoinToken {
  const word = text.replace(/\s+/g, "");
  if (!word.startsWith(JOIN_TOKEN_PREFIX) || word.length > MAX_TOKEN_CHARACTERS) {
    throw new MessageError(`a join token begins with ${JOIN_TOKEN_PREFIX}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(
      Buffer.from(word.slice(JOIN_TOKEN_PREFIX.length), "base64url").toString("utf8"),
    );
  } catch {
    throw new MessageError("the join token is cut off or was changed");
  }
  const read = JoinTokenSchema.safeParse(json);
  if (read.success) return read.data;
  const field = read.error.issues[0]?.path.map(String).join(".") ?? "";
  throw new MessageError(`the join token's ${field === "" ? "content" : field} can't be used`);
}
