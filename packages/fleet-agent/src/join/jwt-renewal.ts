import type { Logger } from "@nodepass/model";
import type { FleetFile } from "../file/fleet-file.ts";
import { renewJwt } from "./join-fleet.ts";

/** A JWT is renewed after this part of its life. */
const RENEW_AT = 2 / 3;
/** Shortest and longest wait between two tries, ms. */
const RETRY_MS = { min: 30_000, max: 3_600_000 } as const;
/** Timers of Node go no further, ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** How the JWT is kept good. */
export interface JwtRenewalOptions {
  readonly file: FleetFile;
  name(): string;
  readonly logger: Logger;
  /** There is another JWT now. */
  onRenewed(): void;
  /** @default RETRY_MS.min */
  readonly retryMs?: number | undefined;
}

/** Gets the next JWT over HTTPS long before this one ends, and at once when the engine refuses it. */
export class JwtRenewal {
  readonly #options: JwtRenewalOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #renewing = false;

  constructor(options: JwtRenewalOptions) {
    this.#options = options;
  }

  /** Waits for the time to renew. */
  start(): void {
    const { issued, expires } = this.#options.file.data;
    const at = (issued + (expires - issued) * RENEW_AT) * 1000;
    this.#after(Math.max(0, at - Date.now()));
  }

  /** The engine refuses the JWT: another one is tried for now, but not more often than every 30 s. */
  now(): void {
    const since = performance.now() - this.#triedAt;
    const wait = (this.#options.retryMs ?? RETRY_MS.min) - since;
    this.#after(Math.max(0, wait));
  }

  stop(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #after(ms: number): void {
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    const wait = Math.min(ms, LONGEST_TIMER_MS);
    const act = (): void => (wait < ms ? this.start() : void this.#renew());
    this.#timer = setTimeout(act, wait).unref();
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    this.#triedAt = performance.now();
    const { file, logger, name, onRenewed } = this.#options;
    try {
      await renewJwt(file.data, name(), this.#closing.signal);
      this.#failures = 0;
      // It is good in any case; without a file it is only not there at the next start.
      await file.save().catch((error: unknown) => {
        logger.error({ reason: String(error) }, "fleet: credentials not saved");
      });
      const expires = new Date(file.data.expires * 1000).toISOString();
      logger.info({ fleet: file.data.fleet, expires }, "fleet: credentials renewed");
      onRenewed();
      this.start();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      const expired = file.data.expires * 1000 < Date.now();
      const state = expired ? "they have expired" : "they are still good";
      logger.warn({ fleet: file.data.fleet, reason, state }, "fleet: credentials not renewed");
      const { min, max } = RETRY_MS;
      this.#after(Math.min(max, (this.#options.retryMs ?? min) * 2 ** this.#failures++));
    } finally {
      this.#renewing = false;
    }
  }
}
