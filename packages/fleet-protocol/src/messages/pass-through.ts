import { z } from "zod";

/** Body of a passed request at most, bytes. */
export const MAX_PASSED_BODY_BYTES = 1_048_576;
/** A streamed answer's piece at most, bytes. */
export const MAX_CHUNK_BYTES = 65_536;
/** Streams of one member at most. */
export const MAX_MEMBER_STREAMS = 16;
/** Requests in flight to one member at most. */
export const MAX_MEMBER_REQUESTS = 64;
/** Longest wait for the head of an answer, ms. */
export const PASS_TIMEOUT_MS = 30_000;
/** A hub says something of each stream that it still reads so often, ms: credit, be it of 0 bytes. */
export const STREAM_RENEW_MS = 20_000;
/** A stream of which the hub has said nothing for so long is cancelled by the member, ms. */
export const STREAM_SILENCE_MS = 60_000;

/** How a passed request is let in: by the fleet's word, or by the key that it carries. */
export const ACCESS_LEVELS = ["key", "viewer", "operator", "admin"] as const;
/** One of `ACCESS_LEVELS`. */
export type PassedAccess = (typeof ACCESS_LEVELS)[number];

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const headers = z.array(z.tuple([z.string(), z.string()])).max(128);

/** Hub → member: one HTTP request. */
export const ApiRequestSchema = z.object({
  method: z.string().max(16),
  /** With the query; begins with a slash. */
  path: z.string().max(16_384),
  headers,
  body: bytes,
  access: z.enum(ACCESS_LEVELS),
  /** IP address of who asked the hub. */
  remote: z.string(),
  /** The member publishes a longer answer under this id of the hub's. */
  stream: z.string().regex(/^[0-9a-f]{16,32}$/),
  /** Bytes of it that it may send at once. */
  credit: z.int().min(0),
});
export type ApiRequest = z.infer<typeof ApiRequestSchema>;

/** The answer, or the head of a streamed one. */
export const ApiAnswerSchema = z.object({
  status: z.int().min(100).max(599),
  headers,
  /** All of it, at most `MAX_CHUNK_BYTES`; empty if it is streamed. */
  body: bytes,
  streamed: z.boolean(),
});
export type ApiAnswer = z.infer<typeof ApiAnswerSchema>;

/** Member → hub: the next piece. */
export const ChunkSchema = z.object({
  /** From 0. */
  n: z.int().min(0),
  data: bytes,
  /** The last one. */
  end: z.boolean(),
  /** Why it breaks off; empty if it does not. */
  error: z.string(),
});
export type Chunk = z.infer<typeof ChunkSchema>;

/** Hub → member: so many bytes more, or no more at all. */
export const CreditSchema = z.object({
  stream: z.string(),
  bytes: z.int().min(0),
  cancel: z.boolean(),
});
export type Credit = z.infer<typeof CreditSchema>;

/** Hub → member: events are wanted for so long, ms; 0: no more. */
export const WatchSchema = z.object({
  forMs: z.int().min(0).max(120_000),
  /** Whether all that is there is told first; `false` where a watch is only renewed. @default true */
  initial: z.boolean().optional(),
});
export type Watch = z.infer<typeof WatchSchema>;

/** Member → hubs, while one wants them: what its API's events carry, with tunnels' keys masked. */
export const MemberEventSchema = z.object({
  type: z.enum(["initial", "create", "update", "delete"]),
  /** As the API shows it. */
  instance: z.record(z.string(), z.unknown()),
});
export type MemberEvent = z.infer<typeof MemberEventSchema>;
