import type { Duct } from "./duct.ts";
import type { Ledger, PeerTimings } from "./ledger.ts";
import {
  decodeSignal,
  encodeSignal,
  LineCutter,
  MAX_LINE_BYTES,
  type Signal,
} from "./signal-codec.ts";

export interface ControlOptions {
  readonly key: string;
  readonly duct: Duct;
  readonly ledger: Ledger;
  readonly timings: PeerTimings;
  /** Signals in both directions, for tests to watch. */
  observe(direction: "sent" | "received", signal: Signal): void;
  /** Everything but ping and pong. */
  handle(signal: Signal): void;
  /** Ends the session after a violation. */
  fail(violation: string): void;
  /** The connection broke, ended or has been silent for three report intervals. */
  lost(reason: string): void;
}

/** One end of a control connection: lines both ways, pings, and the three limits on them. */
export class ControlChannel {
  readonly #options: ControlOptions;
  readonly #lines = new LineCutter();
  #reporter: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #reads = 0;
  #pingsSent = 0;
  #pingsReceived = 0;
  #pongsReceived = 0;
  #since = 0;
  #closed = false;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** Starts to read and sends the first ping. */
  start(): void {
    const { duct, timings } = this.#options;
    this.#since = performance.now();
    this.#silence = setTimeout(() => this.#silent(), 3 * timings.reportIntervalMs);
    this.#reporter = setInterval(() => this.#report(), timings.reportIntervalMs);
    this.send({ action: "ping" });
    duct.attach({
      data: (chunk) => this.#read(chunk),
      end: () => this.#ended(),
      close: () => this.#lost("control connection closed"),
    });
  }

  send(signal: Signal): void {
    if (this.#closed) return;
    if (signal.action === "ping") this.#pingsSent++;
    this.#options.observe("sent", signal);
    this.#write(encodeSignal(signal, this.#options.key));
  }

  /** Writes a line as it is (an LF is added): for tests that misbehave. */
  sendRaw(line: string): void {
    this.#write(`${line}\n`);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#reporter);
    clearTimeout(this.#silence);
    this.#options.duct.destroy();
  }

  #write(text: string): void {
    const { socket } = this.#options.duct;
    if (socket.writable) socket.write(text);
  }

  #report(): void {
    // Counted in own ticks, so that a machine that stalls both ends alike accuses nobody.
    if (this.#pingsReceived < this.#pingsSent - 4) {
      this.#options.fail(`${this.#pingsSent} report intervals and ${this.#pingsReceived} pings`);
    } else if (this.#pongsReceived < this.#pingsSent - 4) {
      this.#options.fail(`${this.#pingsSent} pings sent and ${this.#pongsReceived} answered`);
    } else {
      this.send({ action: "ping" });
    }
  }

  #read(chunk: Buffer): void {
    this.#reads++;
    this.#silence?.refresh();
    for (const line of this.#lines.push(chunk)) {
      if (this.#closed) return;
      const decoded = decodeSignal(line, this.#options.key);
      if (!decoded.ok) {
        this.#options.fail(decoded.violation);
        return;
      }
      this.#options.observe("received", decoded.signal);
      this.#receive(decoded.signal);
    }
    if (this.#lines.rest.length > MAX_LINE_BYTES && !this.#closed) {
      this.#options.fail(`control line of more than ${MAX_LINE_BYTES} bytes`);
    }
  }

  #receive(signal: Signal): void {
    const { counters } = this.#options.ledger;
    if (signal.action === "ping") {
      counters.pings++;
      this.#pingsReceived++;
      const intervals = (performance.now() - this.#since) / this.#options.timings.reportIntervalMs;
      if (this.#pingsReceived > 3 + 2 * intervals) {
        this.#options.fail(
          `${this.#pingsReceived} pings in ${intervals.toFixed(1)} report intervals`,
        );
        return;
      }
      this.send({ action: "pong" });
    } else if (signal.action === "pong") {
      counters.pongs++;
      this.#pongsReceived++;
      if (this.#pongsReceived > this.#pingsSent) this.#options.fail("pong without a ping");
    } else {
      this.#options.handle(signal);
    }
  }

  /** After a stall of the whole process what has arrived is still unread: read that first. */
  #silent(): void {
    const before = this.#reads;
    setImmediate(() => {
      if (this.#reads === before) this.#lost("nothing arrived for three report intervals");
    });
  }

  #ended(): void {
    if (this.#lines.rest !== "" && !this.#closed) {
      this.#options.fail("control connection ended in the middle of a line");
    } else {
      this.#lost("control connection ended");
    }
  }

  #lost(reason: string): void {
    if (!this.#closed) this.#options.lost(reason);
  }
}
