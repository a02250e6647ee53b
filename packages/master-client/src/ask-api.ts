import { unreachable } from "./connection-error.ts";
import {
  exchange,
  type Fetch,
  type HttpAnswer,
  type HttpRequest,
  type HttpTarget,
  type OpenAnswer,
  openExchange,
  readAnswer,
} from "./exchange.ts";
import type { MasterAddress } from "./master-address.ts";
import { isJson, toRefusal } from "./refusal.ts";
import { isRecord, text } from "./remote-instance.ts";

/** Which API, and how it is asked: a master's, or a fleet's hub's. */
export interface ApiOptions {
  readonly address: MasterAddress;
  /** The API key, or a fleet's token; sent as a header and nowhere else. */
  readonly key: string;
  /**
   * How requests go out; in Node `createNodeFetch` of `@nodepass/master-client/node` trusts
   * certificates by fingerprint. @default the platform's
   */
  readonly fetch?: Fetch | undefined;
  /** Longest wait for an answer, ms. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /** Ends every request. */
  readonly signal?: AbortSignal | undefined;
  /** What answers there, for messages. @default "master" */
  readonly who?: "master" | "hub" | undefined;
  /** Open event streams with a ticket in place of the key. @default false */
  readonly eventTickets?: boolean | undefined;
}

const defaultTimeoutMs = 15_000;

/** What came of asking under one path. */
interface Attempt<T> {
  readonly value: T;
  readonly isApi: boolean;
  /** It may be an API that does not know what was asked for. */
  readonly isUnknown?: boolean | undefined;
}

/** How an event stream is opened. */
export interface OpenStreamOptions {
  /** With its query. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** @default true */
  readonly withKey?: boolean | undefined;
}

/** A ticket that opens one event stream without the key. */
export interface EventTicket {
  readonly ticket: string;
  /** RFC 3339. */
  readonly expires: string;
}

/** An API under one of the paths of its address; every method throws a `MasterClientError`. */
export class Api {
  readonly origin: string;
  readonly #address: MasterAddress;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #who: "master" | "hub";
  #key: string;
  /** Where the API is, once something there has answered as one. */
  #basePath: string | undefined;

  constructor(options: ApiOptions) {
    const { address, key, fetch, timeoutMs = defaultTimeoutMs, signal, who = "master" } = options;
    this.#who = who;
    this.origin = address.origin;
    this.#address = address;
    // Browsers insist on their own `this`.
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#key = key;
  }

  get key(): string {
    return this.#key;
  }

  /** Goes on with another key. */
  setKey(key: string): void {
    this.#key = key;
  }

  /** Whether it is known under which path the API is. */
  get isFound(): boolean {
    return this.#basePath !== undefined;
  }

  /** Asks; the answer is a success. */
  async ask(sent: HttpRequest): Promise<HttpAnswer> {
    const answer = await this.#settle(async (base) => {
      const path = `${base}${sent.path}`;
      const value = await exchange(this.#target(), { ...sent, path, signal: this.#signal });
      const { status, headers } = value;
      const isUnknown = status === 404 && headers.get("content-type")?.includes("json") === true;
      return { value, isApi: status !== 404 && isJson(value), isUnknown };
    });
    if (answer.status < 200 || answer.status >= 300) {
      throw toRefusal(this.origin, answer, this.#who);
    }
    return answer;
  }

  /** @returns `undefined` where the answer has no content */
  async askJson(sent: HttpRequest): Promise<unknown> {
    const answer = await this.ask(sent);
    try {
      return answer.status === 204 || answer.text === "" ? undefined : JSON.parse(answer.text);
    } catch (error) {
      throw unreachable(this.origin, `it answers without JSON (${String(error)})`);
    }
  }

  /** @param what for people: what should have come */
  async askRecord(sent: HttpRequest, what: string): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.askJson(sent);
    if (!isRecord(answer)) throw unreachable(this.origin, `it answers without ${what}`);
    return answer;
  }

  /** Asks what answers text, and to anybody: the key stays here. */
  probe(path: string): Promise<HttpAnswer> {
    return exchange(this.#target(false), {
      method: "GET",
      path: `${this.#basePath ?? this.#address.basePaths.at(-1) ?? ""}${path}`,
      signal: this.#signal,
    });
  }

  /** Opens an event stream; the caller closes it. */
  openStream({ path, signal, withKey }: OpenStreamOptions): Promise<OpenAnswer> {
    return this.#settle(async (base) => {
      const headers = { accept: "text/event-stream", "cache-control": "no-cache" };
      const sent = { method: "GET", path: `${base}${path}`, headers, signal };
      const opened = await openExchange(this.#target(withKey), sent);
      const { status, headers: received } = opened.response;
      const isStream = received.get("content-type")?.startsWith("text/event-stream") === true;
      if (status === 200 && isStream) return { value: opened, isApi: true };
      if (status === 404 && this.#basePath === undefined) {
        opened.close();
        return { value: opened, isApi: false };
      }
      if (status === 200) {
        opened.close();
        throw unreachable(this.origin, "its events are no event stream");
      }
      const timer = setTimeout(opened.close, this.#timeoutMs);
      try {
        throw toRefusal(this.origin, await readAnswer(this.origin, opened.response), this.#who);
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /** @param events path of the stream that it is for */
  async createTicket(events: string): Promise<EventTicket> {
    const answer = await this.askRecord({ method: "POST", path: `${events}/ticket` }, "a ticket");
    return { ticket: text(answer.ticket), expires: text(answer.expires) };
  }

  /** Opens an event stream with a ticket in the key's place; the caller closes it. */
  async openWithTicket(
    events: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<OpenAnswer> {
    const { ticket } = await this.createTicket(events);
    const path = `${events}?${new URLSearchParams({ ...query, ticket })}`;
    return this.openStream({ path, signal, withKey: false });
  }

  #target(withKey = true): HttpTarget {
    return {
      origin: this.origin,
      fetch: this.#fetch,
      timeoutMs: this.#timeoutMs,
      headers: withKey ? { "x-api-key": this.#key } : {},
    };
  }

  /** Tries the paths that the API may be under until one isn't unknown there. */
  async #settle<T>(attempt: (base: string) => Promise<Attempt<T>>): Promise<T> {
    if (this.#basePath !== undefined) return (await attempt(this.#basePath)).value;
    const { basePaths } = this.#address;
    /** An API that knows the path, but not what was asked for, answers so; others may. */
    let unknown: { readonly value: T } | undefined;
    for (const base of basePaths) {
      const { value, isApi, isUnknown = false } = await attempt(base);
      if (isApi) {
        this.#basePath = base;
        return value;
      }
      if (isUnknown) unknown ??= { value };
    }
    if (unknown !== undefined) return unknown.value;
    const tried = basePaths.map((base) => base || "/").join(" nor ");
    throw unreachable(this.origin, `no NodePass API under ${tried}`, [], 404);
  }
}
