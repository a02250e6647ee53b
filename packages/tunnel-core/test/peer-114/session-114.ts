import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { ControlChannel } from "./control-channel.ts";
import type { Duct } from "./duct.ts";
import type { Entry114 } from "./entry-114.ts";
import { type ExitOptions, exitTcp, exitUdp, type Target } from "./exit-114.ts";
import type { Ledger, PeerTimings } from "./ledger.ts";
import { CONTROL_ID, Pool114 } from "./pool-114.ts";
import type { Signal } from "./signal-codec.ts";
import { certificateFingerprint } from "./tunnel-secret.ts";

export type Tls = 0 | 1 | 2;

/** Between a `verify` and the close of its connection where they are to arrive apart, ms. */
const CLOSE_APART_MS = 30;

export interface SessionOptions {
  readonly role: "server" | "client";
  readonly flow: "-" | "+";
  readonly tls: Tls;
  readonly key: string;
  readonly ledger: Ledger;
  readonly timings: PeerTimings;
  /** Server: what it knows of its own certificate; nothing with `tls` 2. */
  readonly ownFingerprint: string;
  /** Given if this end takes the users' connections. */
  readonly entry: Entry114 | undefined;
  readonly target: Target;
  observe(direction: "sent" | "received", signal: Signal): void;
  /** The control connection stands. */
  stands(): void;
  /** Users are served (entry) or their signals are expected (exit). */
  ready(): void;
  /** Called once. */
  ended(reason: string): void;
}

/**
 * One session of either end: from the first pool connection to the failure of the control
 * connection, which closes everything.
 */
export class Session114 {
  readonly pool: Pool114;
  readonly #options: SessionOptions;
  readonly #live = new Set<Duct>();
  #control: ControlChannel | undefined;
  #verifyTimer: NodeJS.Timeout | undefined;
  #verifyTimedOut: NodeJS.Timeout | undefined;
  /** The connection of our own `verify`, once sent. */
  #verifyId: string | undefined;
  #verifyReceived = false;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { ledger, timings, role } = options;
    this.pool = new Pool114({
      ledger,
      timings,
      selfIsEntry: options.entry !== undefined,
      waitForIds: role === "client",
      fail: (violation) => this.fail(violation),
    });
  }

  /** Takes a pool connection whose id is known; `00000000` becomes the control connection. */
  admit(duct: Duct): void {
    if (this.#over) {
      duct.destroy();
      return;
    }
    this.#options.ledger.counters.poolOpened++;
    if (duct.id !== CONTROL_ID) {
      this.pool.add(duct);
    } else if (this.#control !== undefined) {
      duct.destroy();
      this.fail(`a second connection with id ${CONTROL_ID}`);
    } else {
      this.#begin(duct);
    }
  }

  /** Notes a violation and ends the session. */
  fail(violation: string): void {
    if (this.#over) return;
    this.#options.ledger.violation(violation);
    this.end(`violation: ${violation}`);
  }

  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#verifyTimer);
    clearTimeout(this.#verifyTimedOut);
    this.#control?.close();
    this.pool.close();
    for (const duct of this.#live) duct.destroy();
    this.#live.clear();
    this.#options.ended(reason);
  }

  send(signal: Signal): void {
    this.#control?.send(signal);
  }

  sendRaw(line: string): void {
    this.#control?.sendRaw(line);
  }

  /** What a 1.14 node does when too many pool connections failed. */
  flush(): void {
    this.pool.flush();
    this.send({ action: "flush" });
  }

  #begin(duct: Duct): void {
    const { key, ledger, timings, tls, entry } = this.#options;
    ledger.counters.sessions++;
    this.#control = new ControlChannel({
      key,
      duct,
      ledger,
      timings,
      observe: (direction, signal) => this.#options.observe(direction, signal),
      handle: (signal) => this.#handle(signal),
      fail: (violation) => this.fail(violation),
      lost: (reason) => this.end(reason),
    });
    this.#control.start();
    if (this.#over) return;
    this.#options.stands();
    if (tls === 0) {
      this.#serve();
    } else {
      this.#verifyTimer = setTimeout(() => void this.#sendVerify(), timings.reportIntervalMs);
    }
    if (tls === 0 && entry === undefined) this.#options.ready();
  }

  #handle(signal: Signal): void {
    if (signal.action === "flush") {
      this.#options.ledger.counters.flushes++;
      this.pool.flush();
    } else if (signal.action === "verify") {
      void this.#verify(signal.id, signal.fp);
    } else if (signal.action === "tcp" || signal.action === "udp") {
      void this.#open(signal.action, signal.id);
    }
  }

  async #open(action: "tcp" | "udp", id: string): Promise<void> {
    const { entry, role, tls, target, ledger, timings } = this.#options;
    if (entry !== undefined) {
      this.fail(`${action} signal from the exit`);
      return;
    }
    // A 1.14 entry accepts users only after our verify. With tls=2 a 1.14 server has none to give.
    if (tls !== 0 && this.#verifyId === undefined && !(tls === 2 && role === "server")) {
      this.fail(`${action} signal before the entry can have had a verify`);
      return;
    }
    if (id === this.#verifyId) {
      // With tls=2 nobody waits for our verify, so both may take one connection: the user is lost.
      ledger.counters.verifyCollisions++;
      return;
    }
    const claim = await this.pool.claim(id);
    if (claim.kind === "none") this.fail(`${action}: ${claim.violation}`);
    if (claim.kind !== "duct") return;
    if (this.#over) {
      claim.duct.destroy();
      return;
    }
    const options: ExitOptions = {
      target,
      ledger,
      udpIdleMs: timings.udpIdleMs,
      live: this.#live,
    };
    if (action === "tcp") exitTcp(claim.duct, options);
    else exitUdp(claim.duct, options);
  }

  /** Own `verify`, one report interval after the session began. */
  async #sendVerify(): Promise<void> {
    if (this.#options.timings.verifyClose === "never") return;
    // In 1.14 both ends may pick the same connection and then both fail; these two do not.
    const duct = await this.pool.take(this.#options.role === "server" ? "oldest" : "newest");
    if (this.#over) {
      duct?.destroy();
      return;
    }
    if (duct === undefined) {
      this.end("no pool connection for the certificate check");
      return;
    }
    this.#keep(duct);
    this.#verifyId = duct.id;
    const fp = this.#fingerprint(duct);
    const { verifyClose } = this.#options.timings;
    if (verifyClose === "before") {
      duct.finish();
      await sleep(CLOSE_APART_MS);
    }
    this.send({ action: "verify", id: duct.id, fp });
    if (verifyClose === "after") await sleep(CLOSE_APART_MS);
    duct.finish();
  }

  async #verify(id: string, fp: string): Promise<void> {
    const { tls, role, ledger } = this.#options;
    ledger.counters.verifies++;
    if (tls === 0) {
      this.fail("verify without TLS");
      return;
    }
    if (this.#verifyReceived) {
      this.fail("a second verify");
      return;
    }
    this.#verifyReceived = true;
    if (fp === "" && !(tls === 2 && role === "client")) {
      this.fail("verify with an empty fingerprint");
      return;
    }
    if (id === this.#verifyId) {
      // Known of 1.14: both ends chose the same connection, wait for it in vain, and start again.
      ledger.counters.verifyCollisions++;
      this.#verifyTimedOut = setTimeout(
        () => this.end("both ends chose one connection for the certificate check"),
        this.#options.timings.poolGetTimeoutMs,
      );
      return;
    }
    const claim = await this.pool.claim(id);
    if (claim.kind === "none") this.fail(`verify: ${claim.violation}`);
    if (claim.kind !== "duct" || this.#over) {
      if (claim.kind === "duct") claim.duct.destroy();
      return;
    }
    const seen = this.#fingerprint(claim.duct);
    claim.duct.destroy();
    if (fp !== seen || fp === "") {
      ledger.counters.verifyMismatches++;
      this.end(`verify: ${fp || "empty fingerprint"} where ${seen || "none"} was known`);
      return;
    }
    this.#serve();
  }

  /** What this end knows of the certificate of `duct`. */
  #fingerprint(duct: Duct): string {
    if (this.#options.role === "server") return this.#options.ownFingerprint;
    const { socket } = duct;
    if (socket.peerFingerprint !== undefined) return socket.peerFingerprint;
    const secure = socket instanceof TLSSocket ? socket : socket.secure;
    if (secure === undefined) return "";
    return certificateFingerprint(secure.getPeerCertificate().raw);
  }

  #keep(duct: Duct): void {
    this.#live.add(duct);
    // This end closes it, and the other end when it has read our verify.
    const closed = () => {
      if (!this.#live.delete(duct)) return;
      duct.destroy();
      if (!this.#over && this.#options.entry === undefined) this.#options.ready();
    };
    duct.attach({
      data: () => this.fail(`bytes on the connection ${duct.id} of the certificate check`),
      end: closed,
      close: closed,
    });
  }

  /** Lets the entry's users in. */
  #serve(): void {
    const { entry, ledger, timings } = this.#options;
    if (entry === undefined) return;
    entry.serve({
      ledger,
      udpIdleMs: timings.udpIdleMs,
      live: this.#live,
      take: () => this.pool.take(),
      announce: (action, remote, duct) => {
        const tell = () => {
          if (!this.#over) this.send({ action, remote, id: duct.id });
        };
        if (timings.signalDelayMs === 0) tell();
        else setTimeout(tell, timings.signalDelayMs);
      },
    });
    this.#options.ready();
  }
}
