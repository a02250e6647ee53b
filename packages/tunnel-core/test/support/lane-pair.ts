import type { ConduitKind, Opening } from "../../src/conduit/conduit.ts";
import { FramedConduits } from "../../src/conduit/framed-conduits.ts";
import type { ByteStream } from "../../src/stream/byte-stream.ts";
import { FlushQueue } from "../../src/stream/flush-queue.ts";
import { Lingerer } from "../../src/stream/lingerer.ts";
import { WaitingDatagrams } from "../../src/udp/waiting-datagrams.ts";

/** A pool connection: the entry's side of it and the exit's. */
export type PoolPair = readonly [entry: ByteStream, exit: ByteStream];

/** Two ends of a session with lanes, of which the pool connections are given one by one. */
export interface LanePair {
  readonly entry: FramedConduits;
  readonly exit: FramedConduits;
  /** The peer's users that have come to the exit and nobody has taken yet. */
  readonly openings: Opening[];
  readonly violations: string[];
  /** Datagrams that were dropped, at either end. */
  dropped: number;
  /** Gives the session a pool connection. */
  add(pair: PoolPair): void;
  /** Opens a user's stream and waits for it at the exit. */
  open(kind?: ConduitKind): Promise<{ near: ByteStream; far: ByteStream }>;
  close(): void;
}

/** @param lanes most lanes */
export function lanePair(lanes: number): LanePair {
  const flushes = new FlushQueue();
  const lingerer = new Lingerer();
  const openings: Opening[] = [];
  const violations: string[] = [];
  const streams: ByteStream[] = [];
  let ids = 0;
  let opened: () => void = () => {};
  const datagrams = {
    waiting: new WaitingDatagrams(),
    onDropped: (count: number) => {
      pair.dropped += count;
    },
  };
  const end = (role: "entry" | "exit"): FramedConduits =>
    new FramedConduits({
      role,
      exit:
        role === "entry"
          ? undefined
          : {
              open: (opening) => {
                openings.push(opening);
                opened();
              },
            },
      flushes,
      lingerer,
      laneCount: lanes,
      datagrams,
      onAvailable: () => {},
      onTaken: () => {},
      onViolation: (error) => violations.push(error.message),
    });
  const pair: LanePair = {
    entry: end("entry"),
    exit: end("exit"),
    openings,
    violations,
    dropped: 0,
    add([entry, exit]) {
      const id = (++ids).toString(16).padStart(8, "0");
      streams.push(entry, exit);
      pair.exit.add(exit, id);
      exit.resume();
      pair.entry.add(entry, id);
      entry.resume();
    },
    async open(kind = "tcp") {
      const came = new Promise<void>((resolve) => {
        opened = resolve;
      });
      const conduit = pair.entry.open(kind, "127.0.0.1:1");
      if (conduit === undefined) throw new Error("there is no lane");
      await came;
      const far = openings.shift();
      if (far === undefined) throw new Error("nothing was opened");
      const other = await new Promise<ByteStream>((resolve) => {
        far.claim({ onConduit: (claimed) => claimed !== undefined && resolve(claimed.stream) });
      });
      return { near: conduit.stream, far: other };
    },
    close() {
      pair.entry.close();
      pair.exit.close();
      lingerer.close();
      for (const stream of streams) stream.destroy();
    },
  };
  return pair;
}
