import { setTimeout as delay } from "node:timers/promises";
import {
  AuthorizationError,
  type Msg,
  type NatsConnection,
  UserAuthenticationExpiredError,
} from "@nats-io/nats-core";
import { REFUSAL_HEADER } from "@nodepass/fleet-protocol";
import { reconnectWait } from "./backoff.ts";

/** A connection that lived so long was good: the next wait is a short one again, ms. */
const GOOD_AFTER_MS = 10_000;

/** What a line does and whom it tells. */
export interface EngineLineOptions {
  /** Opens one connection. @param attempt counts all tries */
  connect(attempt: number): Promise<NatsConnection>;
  /** What is listened to on each connection. */
  readonly subject: string;
  /** Neither throws nor blocks. */
  onMessage(message: Msg): void;
  onConnected(): void;
  /** @param reason why a connection that was there is gone */
  onCut(reason: string): void;
  /** @param refused the server does not know this member, or not any more */
  onFailed(reason: string, refused: boolean): void;
}

/** The one connection to the engine: opened again for ever until it is closed. */
export class EngineLine {
  readonly #options: EngineLineOptions;
  readonly #closing = new AbortController();
  #connection: NatsConnection | undefined;
  #running: Promise<void> | undefined;
  /** Ends the wait before the next try. */
  #hurry = new AbortController();

  constructor(options: EngineLineOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  open(): void {
    this.#running ??= this.#run();
  }

  /** @returns whether it went out; while there is no connection nothing does, and nothing waits */
  publish(subject: string, body: Uint8Array): boolean {
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed()) return false;
    try {
      connection.publish(subject, body);
      return true;
    } catch {
      // It is being closed at this moment.
      return false;
    }
  }

  /** @throws if there is no connection, nobody who answers, no answer in time, or a refusal */
  async request(subject: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const connection = this.#connection;
    if (connection === undefined) throw new Error("not connected");
    const { data, headers } = await connection.request(subject, body, { timeout: timeoutMs });
    const refusal = headers?.get(REFUSAL_HEADER) ?? "";
    if (refusal !== "") {
      const why = "it does not know this master (removed, or its store is new), or has another key";
      throw new Error(`a hub has answered ${refusal.slice(0, 64)}: ${why}`);
    }
    return data;
  }

  /** Tries at once, by what has changed: another JWT, other servers. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Cuts the connection; the next one is opened as after any cut. */
  cut(): void {
    void this.#connection?.close().catch(() => undefined);
  }

  /** What was published is sent first, for a moment at most. Idempotent. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#closing.abort();
    this.#hurry.abort();
    // A try that is under way is not waited for: whatever comes of it is closed.
    if (connection === undefined || connection.isClosed()) return;
    await Promise.race([connection.flush().catch(() => undefined), delay(500)]);
    await connection.close().catch(() => undefined);
    await this.#running;
  }

  /** Now. Idempotent. */
  destroy(): void {
    this.#closing.abort();
    this.#hurry.abort();
    this.cut();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const connection = await this.#options.connect(attempt);
        if (signal.aborted) {
          await connection.close().catch(() => undefined);
          return;
        }
        const since = performance.now();
        const error = await this.#serve(connection);
        if (performance.now() - since > GOOD_AFTER_MS) failures = 0;
        // The way that has led there leads there again.
        attempt--;
        this.#cut(error);
      } catch (error) {
        failures++;
        this.#options.onFailed(reasonOf(error), isRefusal(error));
      }
      await this.#wait(reconnectWait(failures));
    }
  }

  async #serve(connection: NatsConnection): Promise<unknown> {
    const closed = connection.closed();
    connection.subscribe(this.#options.subject, {
      callback: (error, message) => {
        if (error === null) this.#options.onMessage(message);
      },
    });
    this.#connection = connection;
    this.#options.onConnected();
    const error = await closed;
    this.#connection = undefined;
    return error;
  }

  #cut(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const refused = isRefusal(error);
    const reason = error === undefined ? "the connection was closed" : reasonOf(error);
    this.#options.onCut(reason);
    if (refused) this.#options.onFailed(reason, true);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#hurry = new AbortController();
    // Aborted: no failure, only the end of the wait.
    await delay(ms, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const more = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  return `${error.message || error.name}${more}`;
}
