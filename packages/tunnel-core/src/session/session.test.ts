import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contextFor } from "../../test/support/memory-context.ts";
import { type MemoryStream, memoryPair } from "../../test/support/memory-stream.ts";
import { RecordingReader } from "../../test/support/recording-reader.ts";
import type { Opening } from "../conduit/conduit.ts";
import type { LogRecord } from "../tunnel-reports.ts";
import type { Signal, SignalEvent } from "../wire/signal.ts";
import { SignalDecoder } from "../wire/signal-decoder.ts";
import { createSignalEncoder } from "../wire/signal-encoder.ts";
import { FRAME_FIN, FRAME_OPEN_TCP, openFrame, streamHeader } from "../wire/stream-frame.ts";
import { Session, type SessionTerms } from "./session.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const KEY = "secret";
const PRINT = `sha256:${Array(32).fill("AA").join(":")}`;
const encode = createSignalEncoder(KEY);

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** A session, and the peer's side of all that it is given. */
function meet(terms: Partial<SessionTerms> = {}, limits = {}) {
  const logs: LogRecord[] = [];
  const url = "client://secret@127.0.0.1:1/127.0.0.1:2?mode=2&log=debug";
  const context = contextFor(url, { limits: { reportIntervalMs: 1000, ...limits } }, logs);
  const openings: Opening[] = [];
  const owner = {
    exit: { open: (opening: Opening) => openings.push(opening) },
    onReady: vi.fn(),
    onAvailable: vi.fn(),
    onEnd: vi.fn<(session: Session, reason: string) => void>(),
  };
  const session = new Session(
    context,
    {
      flow: "-",
      role: "entry",
      proved: true,
      way: { by: "frames", lanes: 0 },
      sizing: true,
      max: 2,
      signalKey: KEY,
      peer: "127.0.0.1",
      ...terms,
    },
    owner,
  );
  const watcher = { taken: vi.fn(), lost: vi.fn(), needed: vi.fn() };
  session.watcher = watcher;
  const heard: SignalEvent[] = [];
  let control: MemoryStream | undefined;
  const begin = (): void => {
    const [ours, theirs] = memoryPair();
    control = theirs;
    const decoder = new SignalDecoder(KEY);
    new RecordingReader(theirs).onRead = (bytes) => {
      for (const signal of decoder.push(bytes)) if (signal.action !== "ping") heard.push(signal);
      return true;
    };
    theirs.resume();
    session.begin(ours, undefined);
    ours.resume();
  };
  const say = (signal: Signal): void => {
    control?.write(Buffer.from(encode(signal), "latin1"));
  };
  const add = (id: string): { ours: MemoryStream; peer: RecordingReader } => {
    const [ours, theirs] = memoryPair();
    session.addPoolConnection(ours, id);
    ours.resume();
    theirs.resume();
    return { ours, peer: new RecordingReader(theirs) };
  };
  ended.push(() => session.end("the test is over"));
  return {
    session,
    owner,
    watcher,
    logs,
    openings,
    heard,
    begin,
    say,
    add,
    control: () => control,
  };
}

test("serves once its control connection stands, not before", () => {
  const { session, owner, add, begin } = meet();
  add("00000001");
  expect(session.open("tcp", "127.0.0.1:9")).toBeUndefined();
  begin();
  expect(owner.onReady).toHaveBeenCalledOnce();
  expect(owner.onAvailable).toHaveBeenCalled();
  expect(session.open("tcp", "127.0.0.1:9")).toBeDefined();
  expect(session.open("tcp", "127.0.0.1:9")).toBeUndefined();
});

test("a second control connection is closed, and changes nothing", () => {
  const { session, begin } = meet();
  begin();
  const [second] = memoryPair();
  session.begin(second, undefined);
  expect(second.destroyed).toBe(true);
  expect(session.ended).toBe(false);
});

test("in frames: users one after another on one pool connection, without a signal", async () => {
  const { session, owner, watcher, add, begin, heard } = meet();
  begin();
  const { ours, peer } = add("00000001");
  const conduit = session.open("tcp", "127.0.0.1:9");
  expect(conduit).toMatchObject({ framed: false, reader: undefined });
  expect(watcher.taken).toHaveBeenCalledOnce();
  expect(session.poolSize).toBe(0);
  conduit?.stream.end();
  await vi.waitFor(() => {
    expect(peer.text()).toBe(`${openFrame(FRAME_OPEN_TCP, "127.0.0.1:9")}\x04\0\0\0`);
  });
  peer.stream.write(streamHeader(FRAME_FIN, 0));
  await vi.waitFor(() => expect(session.poolSize).toBe(1));
  expect(owner.onAvailable).toHaveBeenCalledTimes(3);
  expect(ours.destroyed).toBe(false);
  expect(heard).toEqual([]);
});

test("by claims: a pool connection each, named by a signal", async () => {
  const way = { by: "claims", framed: false, check: undefined } as const;
  const { session, add, begin, heard } = meet({ way, proved: false });
  begin();
  const { ours } = add("0a0b0c0d");
  const conduit = session.open("udp", "127.0.0.1:9");
  expect(conduit?.stream).toBe(ours);
  expect(conduit?.framed).toBe(false);
  await vi.waitFor(() => {
    expect(heard).toEqual([{ action: "udp", remote: "127.0.0.1:9", id: "0a0b0c0d" }]);
  });
});

test("by claims: an exit's user gets the pool connection that comes later, with what came early", async () => {
  const way = { by: "claims", framed: true, check: undefined } as const;
  const { add, begin, say, openings } = meet({ way, role: "exit", proved: false });
  begin();
  say({ action: "tcp", remote: "127.0.0.1:9", id: "0a0b0c0d" });
  await vi.waitFor(() => expect(openings.length).toBe(1));
  const claim = { onConduit: vi.fn() };
  openings[0]?.claim(claim);
  expect(claim.onConduit).not.toHaveBeenCalled();
  const { ours } = add("0a0b0c0d");
  expect(claim.onConduit).toHaveBeenCalledOnce();
  expect(claim.onConduit.mock.calls[0]?.[0]).toMatchObject({ stream: ours, framed: false });
});

test("by claims: a user who is refused resets his pool connection, also one that comes later", async () => {
  const way = { by: "claims", framed: true, check: undefined } as const;
  const { add, begin, say, openings } = meet({ way, role: "exit", proved: false });
  begin();
  say({ action: "udp", remote: "127.0.0.1:9", id: "0a0b0c0d" });
  await vi.waitFor(() => expect(openings.length).toBe(1));
  openings[0]?.refuse();
  const { ours } = add("0a0b0c0d");
  expect(ours.wasReset).toBe(true);
});

test("an entry that is sent a tcp signal ends", async () => {
  const { begin, say, owner } = meet();
  begin();
  say({ action: "tcp", remote: "127.0.0.1:9", id: "0a0b0c0d" });
  await vi.waitFor(() => {
    expect(owner.onEnd.mock.calls[0]?.[1]).toMatch(/only the entry sends/);
  });
});

test("a flush closes the idle connections; the session goes on", async () => {
  const { session, begin, say, add, watcher } = meet();
  begin();
  const { ours } = add("00000001");
  say({ action: "flush" });
  await vi.waitFor(() => expect(ours.destroyed).toBe(true));
  await vi.waitFor(() => expect(watcher.lost).toHaveBeenCalledOnce());
  expect([session.poolSize, session.ended]).toEqual([0, false]);
});

test("answers a ping, and a probe is answered by the peer's pong", async () => {
  const { session, begin, say, heard } = meet();
  begin();
  say({ action: "ping" });
  await vi.waitFor(() => expect(heard).toEqual([{ action: "pong" }]));
  const alive = new Promise<boolean>((resolve) => session.probe(5000, resolve));
  say({ action: "pong" });
  expect(await alive).toBe(true);
  expect(await new Promise<boolean>((resolve) => session.probe(10, resolve))).toBe(false);
});

test("ends once when its control connection is lost, and closes its pool", async () => {
  const { session, begin, add, owner, control } = meet();
  begin();
  const { ours } = add("00000001");
  control()?.reset();
  await vi.waitFor(() => expect(owner.onEnd).toHaveBeenCalledOnce());
  expect(ours.destroyed).toBe(true);
  session.end("again");
  expect(owner.onEnd).toHaveBeenCalledOnce();
  const { ours: late } = add("00000002");
  expect(late.destroyed).toBe(true);
});

test("an exit that retires serves what the peer opens until it has closed its connections", async () => {
  const { session, begin, add, openings } = meet({ role: "exit" });
  begin();
  const { peer } = add("00000001");
  session.retire("closing");
  expect(session.retiring).toBe(true);
  peer.stream.write(openFrame(FRAME_OPEN_TCP, "127.0.0.1:9"));
  await vi.waitFor(() => expect(openings.length).toBe(1));
  expect(session.retiring).toBe(false);
});

const check = (wait: boolean) => ({ send: true, wait, fingerprintOf: () => PRINT });

test("with a certificate check an entry serves when the peer's fingerprint has matched", async () => {
  const way = { by: "claims", framed: false, check: check(true) } as const;
  const { session, begin, add, say, heard, owner } = meet({ way, proved: false });
  begin();
  add("00000001");
  add("00000002");
  await vi.waitFor(() => {
    expect(heard).toEqual([{ action: "verify", id: "00000001", fp: PRINT }]);
  });
  expect(owner.onReady).not.toHaveBeenCalled();
  say({ action: "verify", id: "00000002", fp: PRINT });
  await vi.waitFor(() => expect(owner.onReady).toHaveBeenCalledOnce());
  expect(session.ended).toBe(false);
});

test("an exit serves at once, and sends its fingerprint when there is a connection for it", async () => {
  const way = { by: "claims", framed: false, check: check(false) } as const;
  const { begin, add, heard, owner } = meet({ way, proved: false, role: "exit" });
  begin();
  expect(owner.onReady).toHaveBeenCalledOnce();
  add("00000001");
  await vi.waitFor(() => expect(heard.length).toBe(1));
});

test("a fingerprint that differs ends the session", async () => {
  const way = { by: "claims", framed: false, check: check(true) } as const;
  const { begin, add, say, owner } = meet({ way, proved: false });
  begin();
  add("00000001");
  add("00000002");
  say({ action: "verify", id: "00000002", fp: PRINT.replace("AA", "BB") });
  await vi.waitFor(() => expect(owner.onEnd.mock.calls[0]?.[1]).toMatch(/fingerprint/));
});

// A 1.14 node closes the connection that its `verify` names itself, and the close may be first.
test.each(["before the line", "with the line"])(
  "a verify for a connection that the peer has closed %s is judged by what that showed",
  async (when) => {
    const way = { by: "claims", framed: false, check: check(true) } as const;
    const { begin, add, say, owner, session } = meet({ way, proved: false });
    begin();
    add("00000001");
    const { ours, peer } = add("00000002");
    peer.stream.end();
    if (when === "before the line") {
      await vi.waitFor(() => expect(ours.destroyed).toBe(true));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    say({ action: "verify", id: "00000002", fp: PRINT });
    await vi.waitFor(() => expect(owner.onReady).toHaveBeenCalledOnce());
    expect(session.ended).toBe(false);
  },
);

test("also then a fingerprint that differs ends the session", async () => {
  const way = { by: "claims", framed: false, check: check(true) } as const;
  const { begin, add, say, owner } = meet({ way, proved: false });
  begin();
  add("00000001");
  const { ours, peer } = add("00000002");
  peer.stream.end();
  await vi.waitFor(() => expect(ours.destroyed).toBe(true));
  say({ action: "verify", id: "00000002", fp: PRINT.replace("AA", "BB") });
  await vi.waitFor(() => expect(owner.onEnd.mock.calls[0]?.[1]).toMatch(/fingerprint/));
});

test("an entry does not wait in silence for a check that can't pass: a new session", async () => {
  const way = { by: "claims", framed: false, check: check(true) } as const;
  const { begin, say, owner } = meet({ way, proved: false }, { poolGetTimeoutMs: 30 });
  begin();
  say({ action: "verify", id: "0000000f", fp: PRINT });
  await vi.waitFor(() => expect(owner.onEnd.mock.calls[0]?.[1]).toMatch(/unknown pool connection/));
});

test("nor for one that never comes, by the peer's own report intervals", async () => {
  const way = { by: "claims", framed: false, check: check(true) } as const;
  const { begin, say, owner } = meet({ way, proved: false }, { reportIntervalMs: 30 });
  begin();
  for (let count = 0; count < 3; count++) say({ action: "ping" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(owner.onEnd).not.toHaveBeenCalled();
  say({ action: "ping" });
  await vi.waitFor(() => expect(owner.onEnd.mock.calls[0]?.[1]).toMatch(/no verify came/));
});
