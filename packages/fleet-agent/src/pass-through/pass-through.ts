import {
  type ApiAnswer,
  type ApiRequest,
  type Chunk,
  type Credit,
  MAX_CHUNK_BYTES,
  MAX_MEMBER_REQUESTS,
  MAX_MEMBER_STREAMS,
  MAX_PASSED_BODY_BYTES,
  PASS_TIMEOUT_MS,
} from "@nodepass/fleet-protocol";
import type { FleetRole, MemberPermission } from "@nodepass/model/fleet";
import { AnswerStream } from "./answer-stream.ts";
import { passedHeaders, toHeaderList } from "./passed-headers.ts";

/** Who asks: with a role that the hub has checked, or with a key that the API checks. */
export type AskedBy =
  | { readonly role: FleetRole; readonly remoteAddress: string }
  | { readonly remoteAddress: string };

/** What requests are passed to. */
export interface PassThroughOptions {
  /** The master's API. */
  ask(request: Request, by: AskedBy): Promise<Response>;
  readonly allow: readonly MemberPermission[];
  /** @returns whether it went out */
  sendChunk(stream: string, chunk: Chunk): boolean;
  /** @default PASS_TIMEOUT_MS */
  readonly timeoutMs?: number | undefined;
}

/** Methods that change nothing. */
const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Requests that a hub passes on, answered by this master's API: short answers whole, long ones and
 * event streams in pieces. All of it is bounded, whatever a hub sends.
 */
export class PassThrough {
  readonly #options: PassThroughOptions;
  readonly #streams = new Map<string, AnswerStream>();
  #inFlight = 0;
  #onDrained: (() => void) | undefined;
  /** Counts up when the line was cut: what was asked before is answered to nobody. */
  #line = 0;

  constructor(options: PassThroughOptions) {
    this.#options = options;
  }

  /** Open streams. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Never rejects. */
  async answer(asked: ApiRequest): Promise<ApiAnswer> {
    const needed = READING.has(asked.method) ? "read" : "api";
    if (!this.#options.allow.includes(needed)) {
      return refusal(403, `this master's own settings do not allow ${needed} through the fleet`);
    }
    if (!asked.path.startsWith("/")) return refusal(400, "the path does not begin with a slash");
    if (asked.body.byteLength > MAX_PASSED_BODY_BYTES) {
      return refusal(413, `a body of more than ${MAX_PASSED_BODY_BYTES} bytes`);
    }
    if (this.#inFlight >= MAX_MEMBER_REQUESTS) {
      return refusal(503, "too many requests to this master are in flight", [["retry-after", "1"]]);
    }
    this.#inFlight++;
    const gone = new AbortController();
    try {
      return await this.#beforeTimeout(this.#ask(asked, gone.signal), gone);
    } catch {
      // The API tells its faults to its own log.
      return refusal(500, "Internal error");
    } finally {
      this.#inFlight--;
    }
  }

  credit({ stream, bytes, cancel }: Credit): void {
    const open = this.#streams.get(stream);
    if (cancel) open?.cancel();
    else open?.addCredit(bytes);
  }

  /** Waits till all streams are over, for so long at most, ms: what the API says at its end is heard. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#streams.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onDrained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The line is cut: nobody hears what is still being said. */
  cut(): void {
    this.#line++;
    for (const stream of this.#streams.values()) stream.cancel();
  }

  async #ask(asked: ApiRequest, gone: AbortSignal): Promise<ApiAnswer> {
    const line = this.#line;
    const { access, remote: remoteAddress } = asked;
    const by = access === "key" ? { remoteAddress } : { role: access, remoteAddress };
    const response = await this.#options.ask(toRequest(asked, gone), by);
    const headers = toHeaderList(response.headers);
    const { status } = response;
    if (response.body === null) return { status, headers, body: new Uint8Array(), streamed: false };
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
    gone.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    const begun = isEvents ? { pieces: [], done: false } : await readSome(reader);
    if (begun.done) {
      return {
        status,
        headers,
        body: new Uint8Array(Buffer.concat(begun.pieces)),
        streamed: false,
      };
    }
    if (gone.aborted || line !== this.#line || this.#streams.has(asked.stream)) {
      await reader.cancel().catch(() => undefined);
      return refusal(503, "the fleet's line was cut");
    }
    if (this.#streams.size >= MAX_MEMBER_STREAMS) {
      await reader.cancel().catch(() => undefined);
      return refusal(503, "too many streams of this master are open", [["retry-after", "5"]]);
    }
    this.#stream(asked, reader, begun.pieces);
    return { status, headers, body: new Uint8Array(), streamed: true };
  }

  #stream(
    { stream: id, credit }: ApiRequest,
    body: ReadableStreamDefaultReader<Uint8Array>,
    begun: readonly Uint8Array[],
  ): void {
    const stream = new AnswerStream({
      body,
      begun,
      credit,
      send: (chunk) => this.#options.sendChunk(id, chunk),
      onEnd: () => {
        this.#streams.delete(id);
        if (this.#streams.size === 0) this.#onDrained?.();
      },
    });
    this.#streams.set(id, stream);
    // The head goes out in this turn.
    setImmediate(() => stream.start());
  }

  async #beforeTimeout(answer: Promise<ApiAnswer>, gone: AbortController): Promise<ApiAnswer> {
    const { timeoutMs = PASS_TIMEOUT_MS } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ApiAnswer>((resolve) => {
      timer = setTimeout(() => {
        gone.abort();
        resolve(refusal(504, `no answer within ${timeoutMs / 1000} s`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      // Whoever is late answers nobody.
      answer.catch(() => undefined);
    }
  }
}

function toRequest(asked: ApiRequest, signal: AbortSignal): Request {
  const { method, path, access } = asked;
  const hasBody = method !== "GET" && method !== "HEAD" && asked.body.byteLength > 0;
  return new Request(`http://master${path}`, {
    method,
    headers: passedHeaders(asked.headers, { withKeys: access === "key" }),
    signal,
    ...(hasBody && { body: new Uint8Array(asked.body) }),
  });
}

/** All of a body if it is short, else its first pieces. */
async function readSome(reader: ReadableStreamDefaultReader<Uint8Array>) {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { pieces, done: true };
    pieces.push(value);
    size += value.byteLength;
    if (size > MAX_CHUNK_BYTES) return { pieces, done: false };
  }
}

function refusal(
  status: number,
  error: string,
  headers: readonly (readonly [string, string])[] = [],
): ApiAnswer {
  return {
    status,
    headers: [
      ["content-type", "application/json"],
      ...headers.map(([name, value]): [string, string] => [name, value]),
    ],
    body: new TextEncoder().encode(JSON.stringify({ error })),
    streamed: false,
  };
}
