import { randomBytes } from "node:crypto";
import type { ApiAnswer, Chunk, PassedAccess } from "@nodepass/fleet-protocol";
import { encodeShutdown } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import { MAX_SENT_A_SECOND } from "../hubs/flood-guard.ts";
import { MAX_HUB_STREAMS, type Messenger } from "../members/messenger.ts";
import type { MemberFacts, Presence } from "../members/presence.ts";
import { AnswerStream, MEMBER_SILENCE_MS, STREAM_WINDOW_BYTES } from "./answer-stream.ts";
import { CreditPace } from "./credit-pace.ts";
import { type HeaderList, MAX_PASSED_HEADERS, responseHeaders } from "./passed-headers.ts";

/** A member that was started anew syncs with one hub; the others see it by its heartbeat, ms. */
export const SESSION_CHECK_MS = 5000;

/** What requests are passed with. */
export interface PasserOptions {
  readonly messenger: Pick<Messenger, "api" | "credit" | "closeStream">;
  /** Streams of a member that is lost, or was started anew, end at once. */
  readonly presence: Pick<Presence, "facts" | "onStatus" | "onSync">;
  /** Streams open at once. Integer, 1 to 65 536. @default 256 */
  readonly maxStreams?: number | undefined;
  /** A stream whose member says nothing for so long is broken off, ms. @default 40000 */
  readonly silenceMs?: number | undefined;
  /** What this hub asks of one member at most, bytes/s. @default 16 MiB/s */
  readonly bytesPerSecond?: number | undefined;
}

/** A request on its way to a member. */
export interface PassedRequest {
  readonly mid: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly access: PassedAccess;
  /** IP address of who asks. */
  readonly remote: string;
  /** The answer shares the origin of the hub's own pages. */
  readonly boxed: boolean;
  /** Whoever asks is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** Passes requests to members. */
export interface Passer {
  /**
   * @returns the member's answer; the body of a streamed one fails where the member breaks off
   * @throws {ServiceError} `UNAVAILABLE`; `LIMIT_REACHED`: too much at once; `INVALID`: too many headers
   */
  pass(request: PassedRequest): Promise<Response>;
  /** Whether this answer's body has no end yet. */
  isStreamed(response: Response): boolean;
  /** Streams open now. */
  readonly streams: number;
  /** Ends all streams: those of a master's events as it would itself, what has to be whole breaks off. Idempotent. */
  close(): void;
}

/** Bytes of one member a second: what three hubs ask of it is still well below what is taken for a flood. */
const PASSED_A_SECOND = MAX_SENT_A_SECOND.bytes / 4;

const CLOSING = "the hub is closing";

interface Passed {
  readonly mid: string;
  readonly session: string;
  /** How it ends with the hub: a master's events with `shutdown`, other events simply. */
  readonly ends: "shutdown" | "plain" | "broken";
}

function endOf(path: string, headers: HeaderList): Passed["ends"] {
  const headerOf = (wanted: string) =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  const isEvents = headerOf("content-type").toLowerCase().startsWith("text/event-stream");
  if (!isEvents || headerOf("content-encoding") !== "") return "broken";
  return path.split("?", 1)[0]?.endsWith("/events") === true ? "shutdown" : "plain";
}

const isBodiless = (method: string, status: number): boolean =>
  method === "HEAD" || status === 204 || status === 205 || status === 304;

/** @throws {ServiceError} `INVALID_OPTIONS` */
export function createPasser(options: PasserOptions): Passer {
  const { messenger, presence } = options;
  const { maxStreams = MAX_HUB_STREAMS, silenceMs = MEMBER_SILENCE_MS } = options;
  const pace = new CreditPace(options.bytesPerSecond ?? PASSED_A_SECOND);
  if (!Number.isInteger(maxStreams) || maxStreams < 1 || maxStreams > 65_536) {
    const message = `maxStreams is ${maxStreams}, must be an integer from 1 to 65536`;
    throw new ServiceError("INVALID_OPTIONS", message);
  }
  const open = new Map<AnswerStream, Passed>();
  const streamed = new WeakSet<Response>();

  const sessionOf = ({ session }: MemberFacts): string => session ?? "";
  /** A process that is gone has forgotten what it was sending. */
  const endOld = (mid: string): void => {
    const facts = presence.facts(mid);
    for (const [stream, from] of open) {
      if (from.mid !== mid) continue;
      const isOther = from.session !== "" && sessionOf(facts) !== from.session;
      if (isOther || facts.status === "lost") stream.fail("the master is gone");
    }
  };
  const unfollow = [presence.onStatus(endOld), presence.onSync(endOld)];
  const check = setInterval(() => {
    for (const mid of new Set([...open.values()].map((from) => from.mid))) endOld(mid);
    pace.forgetIdle();
  }, SESSION_CHECK_MS);
  check.unref();

  const toResponse = (
    { status, headers }: ApiAnswer,
    body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
    { boxed, target }: Pick<PassedRequest, "boxed" | "target">,
  ): Response => {
    try {
      const hasBody = body !== null;
      return new Response(body, {
        status,
        headers: responseHeaders(headers, { hasBody, boxed, target }),
      });
    } catch (error) {
      // A member that is not what it says it is: a status or a header that HTTP does not have.
      throw new ServiceError("UNAVAILABLE", "the master's answer can't be read", { cause: error });
    }
  };

  const pass = async (request: PassedRequest): Promise<Response> => {
    const { mid, method, target: path, headers, body, access, remote, signal } = request;
    if (headers.length > MAX_PASSED_HEADERS) {
      const message = `${headers.length} headers, of which at most ${MAX_PASSED_HEADERS} are passed on`;
      throw new ServiceError("INVALID", message);
    }
    const id = randomBytes(16).toString("hex");
    const session = sessionOf(presence.facts(mid));
    let stream: AnswerStream | undefined;
    const cancel = (): void => messenger.credit(mid, { stream: id, bytes: 0, cancel: true });
    const openStream = (): AnswerStream => {
      if (stream !== undefined) return stream;
      let owed = 0;
      let late: NodeJS.Timeout | undefined;
      const give = () => {
        late = undefined;
        messenger.credit(mid, { stream: id, bytes: owed, cancel: false });
        owed = 0;
      };
      const made: AnswerStream = new AnswerStream({
        silenceMs,
        credit: (bytes) => {
          owed += bytes;
          if (late !== undefined) return;
          const waitMs = pace.waitOf(mid);
          if (waitMs === 0) give();
          else late = setTimeout(give, waitMs).unref();
        },
        cancel,
        onGone: () => {
          clearTimeout(late);
          open.delete(made);
          messenger.closeStream(mid, id);
        },
      });
      stream = made;
      return made;
    };
    // Pieces may be here before the head: the head is waited for, they are not.
    const onChunk = (chunk: Chunk): void => {
      pace.came(mid, chunk.data.byteLength);
      openStream().push(chunk);
    };
    const message = {
      ...{ method, path, body, access, remote },
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      stream: id,
      credit: STREAM_WINDOW_BYTES,
    };
    let answer: ApiAnswer;
    try {
      answer = await messenger.api(mid, message, onChunk, signal);
      pace.came(mid, answer.body.byteLength);
      signal?.throwIfAborted();
    } catch (error) {
      if (stream === undefined) {
        // It may begin to send all the same.
        cancel();
        messenger.closeStream(mid, id);
      } else stream.abandon();
      throw error;
    }
    const bodiless = isBodiless(method, answer.status);
    if (!answer.streamed || bodiless) {
      if (answer.streamed) openStream().abandon();
      else messenger.closeStream(mid, id);
      const all = bodiless || answer.body.byteLength === 0 ? null : new Uint8Array(answer.body);
      return toResponse(answer, all, request);
    }
    const opened = openStream();
    if (open.size >= maxStreams) {
      opened.abandon();
      throw new ServiceError("LIMIT_REACHED", `the hub has ${maxStreams} streams open already`);
    }
    open.set(opened, { mid, session, ends: endOf(path, answer.headers) });
    try {
      const response = toResponse(answer, opened.readable, request);
      streamed.add(response);
      return response;
    } catch (error) {
      opened.abandon();
      throw error;
    }
  };

  return {
    pass,
    isStreamed: (response) => streamed.has(response),
    get streams() {
      return open.size;
    },
    close() {
      clearInterval(check);
      for (const end of unfollow) end();
      for (const [stream, { ends }] of [...open]) {
        if (ends === "broken") stream.fail(CLOSING);
        else stream.conclude(ends === "shutdown" ? encodeShutdown(Date.now()) : "", CLOSING);
      }
    },
  };
}
