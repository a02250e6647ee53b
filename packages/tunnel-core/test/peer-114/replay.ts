import { type LiveConn, StepTimeout, withinMs } from "./live-conn.ts";
import { CONTROL_CONN, RECORDED_KEY, type RecordedEvent } from "./recording.ts";
import { decodeSignal, encodeSignal, type Signal } from "./signal-codec.ts";

/** A user whom the test sends to the live node's entry. */
export interface ReplayUser {
  /** `ip:port` of the user, as the signal has to give it. */
  readonly remote: string;
  /** What came back, at least `length` bytes. */
  answer(length: number): Promise<Buffer>;
  close(): void;
}

/** What a replay needs of the test. */
export interface ReplayDriver {
  /** Sends `payload` to the live entry; called only if the live node is the entry. */
  readonly user?: ((kind: "tcp" | "udp", payload: Buffer) => Promise<ReplayUser>) | undefined;
  /** Longest wait for one step of the live node, in milliseconds. @default 20000 */
  readonly stepTimeoutMs?: number | undefined;
}

export interface ReplayResult {
  /** What the live node did otherwise than recorded; empty is good. */
  readonly mismatches: readonly string[];
  /** One line for each step that was played or seen. */
  readonly transcript: readonly string[];
  /** Pings of the live node beyond the recorded ones: they depend on time alone. */
  readonly extraPings: number;
}

/** The side that is played: how recorded connections become live ones. */
export interface ReplayStage {
  readonly plays: "server" | "client";
  /** All live pool connections by id. */
  byId(id: string): LiveConn | undefined;
  /** The live connection for a recorded one, by order of opening; waits for it. */
  byOrder(conn: number): Promise<LiveConn>;
  /** A recorded `open`: the client dials. */
  open(conn: number): Promise<void>;
  /** The recorded end: the server stops, everything is closed; waits for the live node's FINs. */
  stop(timeoutMs: number): Promise<void>;
}

/** Plays one side of the pool phase of a recording against a live node, event by event. */
export class Replay {
  readonly mismatches: string[] = [];
  readonly transcript: string[] = [];
  extraPings = 0;
  readonly #events: readonly RecordedEvent[];
  readonly #stage: ReplayStage;
  readonly #driver: ReplayDriver;
  readonly #stories = new Map<number, LiveConn>();
  readonly #users = new Map<number, ReplayUser>();
  readonly #answered = new Map<number, Buffer>();
  /** Control lines of the live node that no step has taken yet. */
  readonly #lines: string[] = [];

  constructor(events: readonly RecordedEvent[], stage: ReplayStage, driver: ReplayDriver) {
    this.#events = events.filter((event) => event.conn >= CONTROL_CONN);
    this.#stage = stage;
    this.#driver = driver;
  }

  get #timeoutMs(): number {
    return this.#driver.stepTimeoutMs ?? 20_000;
  }

  /** What the played side sends, and what it is to receive. */
  get #own(): "server>client" | "client>server" {
    return this.#stage.plays === "server" ? "server>client" : "client>server";
  }

  async run(): Promise<ReplayResult> {
    try {
      await this.#play();
      this.#checkLeftovers();
    } catch (error) {
      if (!(error instanceof StepTimeout)) throw error;
      this.mismatches.push(error.message);
    }
    for (const user of this.#users.values()) user.close();
    return this;
  }

  async #play(): Promise<void> {
    const lastLine = this.#events.findLastIndex(
      (event) => event.conn === CONTROL_CONN && event.bytes.length > 0,
    );
    const greeted = new Set<number>();
    for (const event of this.#events.slice(0, lastLine + 1)) {
      const { conn, dir, bytes } = event;
      const isId = dir === "server>client" && !greeted.has(conn);
      if (dir === "open") await this.#stage.open(conn);
      // The stage has given or read the id already.
      else if (isId) greeted.add(conn);
      else if (conn === CONTROL_CONN) await this.#control(event);
      else if (bytes.length === 0) await this.#fin(conn, dir);
      else if (dir === this.#own) await this.#sendData(conn, bytes);
      else await this.#expectData(conn, bytes);
    }
    this.#note("stop");
    await this.#stage.stop(this.#timeoutMs);
  }

  async #control({ dir, bytes }: RecordedEvent): Promise<void> {
    const control = await this.#stage.byOrder(CONTROL_CONN);
    for (const line of bytes.toString("latin1").split("\n").slice(0, -1)) {
      const recorded = this.#decode(line);
      const story = "id" in recorded ? this.#storyOf(recorded.id) : undefined;
      if (dir === this.#own) {
        const live = story === undefined ? undefined : await this.#live(story);
        const signal = live === undefined ? recorded : { ...recorded, id: live.id };
        this.#note(`send ${JSON.stringify(signal)}`);
        control.socket.write(encodeSignal(signal, RECORDED_KEY));
      } else if (story === undefined) {
        await this.#expectLine(control, line, JSON.stringify(recorded));
      } else {
        await this.#begin(story);
      }
    }
  }

  /** The live entry's user comes: its signal has to name a connection of ours and the user. */
  async #begin(story: number): Promise<LiveConn> {
    const known = this.#stories.get(story);
    if (known !== undefined) return known;
    const { kind, payload } = this.#describe(story);
    const user = await this.#driver.user?.(kind, payload);
    if (user === undefined) throw new StepTimeout("the live node is the entry: a user is needed");
    this.#users.set(story, user);
    const control = await this.#stage.byOrder(CONTROL_CONN);
    const line = await this.#nextLine(control, `${kind} signal`, (text) => {
      const decoded = decodeSignal(text, RECORDED_KEY);
      return !decoded.ok || decoded.signal.action === kind;
    });
    const signal = this.#decode(line);
    const id = "id" in signal ? signal.id : "";
    const live = this.#stage.byId(id);
    if (live === undefined || [...this.#stories.values()].includes(live)) {
      throw new StepTimeout(`${kind} signal names ${id}, which is no idle connection`);
    }
    const due = encodeSignal({ action: kind, remote: user.remote, id }, RECORDED_KEY).trimEnd();
    if (line !== due) this.#differs(`${kind} signal`, due, line);
    this.#note(`seen ${JSON.stringify(signal)}`);
    this.#stories.set(story, live);
    return live;
  }

  /** The live connection of a recorded data connection, whoever chose it. */
  async #live(story: number): Promise<LiveConn> {
    const known = this.#stories.get(story);
    if (known !== undefined) return known;
    if (this.#describe(story).entry !== this.#own) return this.#begin(story);
    const live = await this.#stage.byOrder(story);
    this.#stories.set(story, live);
    return live;
  }

  async #sendData(conn: number, bytes: Buffer): Promise<void> {
    const live = await this.#live(conn);
    this.#note(`send ${bytes.length} bytes on ${conn}`);
    live.socket.write(bytes);
    const user = this.#users.get(conn);
    if (user === undefined) return;
    // All that has come to him so far.
    const due = Buffer.concat([this.#answered.get(conn) ?? Buffer.alloc(0), bytes]);
    this.#answered.set(conn, due);
    const answer = await withinMs(this.#timeoutMs, "answer to the user", user.answer(due.length));
    if (!answer.equals(due)) this.#differs("answer to the user", String(due), String(answer));
    if (this.#describe(conn).kind === "tcp") user.close();
  }

  async #expectData(conn: number, bytes: Buffer): Promise<void> {
    const live = await this.#live(conn);
    const seen = await live.bytes(bytes.length, `data on connection ${conn}`, this.#timeoutMs);
    if (!seen.equals(bytes)) this.#differs(`data on ${conn}`, String(bytes), String(seen));
    this.#note(`seen ${seen.length} bytes on ${conn}`);
  }

  async #fin(conn: number, dir: RecordedEvent["dir"]): Promise<void> {
    const live = await this.#live(conn);
    if (dir === `${this.#stage.plays}-fin`) {
      this.#note(`send FIN on ${conn}`);
      live.socket.end();
    } else {
      await live.end(`FIN on connection ${conn}`, this.#timeoutMs);
      if (live.pending.length > 0) this.#differs(`data on ${conn}`, "", String(live.pending));
      this.#note(`seen FIN on ${conn}`);
    }
  }

  async #expectLine(control: LiveConn, due: string, text: string): Promise<void> {
    await this.#nextLine(control, text, (line) => line === due);
    this.#note(`seen ${text}`);
  }

  /** The first line that `fits`; others stay for later steps (their order is a matter of timing). */
  async #nextLine(
    control: LiveConn,
    what: string,
    fits: (line: string) => boolean,
  ): Promise<string> {
    for (;;) {
      const index = this.#lines.findIndex(fits);
      const [line] = index < 0 ? [] : this.#lines.splice(index, 1);
      if (line !== undefined) return line;
      this.#lines.push(
        await control.take(what, this.#timeoutMs, (bytes) => {
          const end = bytes.indexOf(10);
          return end < 0 ? undefined : { value: bytes.toString("latin1", 0, end), length: end + 1 };
        }),
      );
    }
  }

  #checkLeftovers(): void {
    for (const line of this.#lines) {
      const decoded = decodeSignal(line, RECORDED_KEY);
      if (decoded.ok && decoded.signal.action === "ping") this.extraPings++;
      else
        this.mismatches.push(
          `a line too many: ${decoded.ok ? JSON.stringify(decoded.signal) : decoded.violation}`,
        );
    }
  }

  /** The recorded connection with this id. */
  #storyOf(id: string): number {
    const found = this.#events.find(
      (event) => event.dir === "server>client" && event.bytes.toString("hex") === id,
    );
    if (found === undefined) throw new Error(`the recording has no connection ${id}`);
    return found.conn;
  }

  /** What the recording says of a data connection: its kind, who is the entry, the user's bytes. */
  #describe(conn: number): { kind: "tcp" | "udp"; entry: RecordedEvent["dir"]; payload: Buffer } {
    for (const { conn: where, dir, bytes } of this.#events) {
      if (where !== CONTROL_CONN || bytes.length <= 4) continue;
      const signal = this.#decode(bytes.toString("latin1").split("\n")[0] ?? "");
      if (signal.action !== "tcp" && signal.action !== "udp") continue;
      if (this.#storyOf(signal.id) !== conn) continue;
      const data = this.#events.filter((event) => event.conn === conn && event.dir === dir);
      const payload = Buffer.concat(data.map((event) => event.bytes));
      // The server's bytes on a pool connection begin with its id.
      const start = dir === "server>client" ? 4 : 0;
      return { kind: signal.action, entry: dir, payload: payload.subarray(start) };
    }
    throw new Error(`the recording has no signal for connection ${conn}`);
  }

  #decode(line: string): Signal {
    const decoded = decodeSignal(line, RECORDED_KEY);
    if (!decoded.ok) throw new StepTimeout(decoded.violation);
    return decoded.signal;
  }

  #differs(what: string, due: string, seen: string): void {
    this.mismatches.push(`${what}: ${JSON.stringify(seen)} where ${JSON.stringify(due)} is due`);
  }

  #note(text: string): void {
    this.transcript.push(text);
  }
}
