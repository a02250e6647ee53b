import { expect, test, vi } from "vitest";
import type { Conduit, ConduitUser } from "../conduit/conduit.ts";
import type { TunnelError } from "../errors.ts";
import { Latency } from "../latencies.ts";
import { ConduitQueue } from "./conduit-queue.ts";

/** A session with as many conduits as a test says, and what a queue has asked of it. */
function fakeSession() {
  const wanted: number[] = [];
  let free = 0;
  return {
    terms: { ports: true },
    wanted,
    add: (count: number) => {
      free += count;
    },
    open: (): Conduit | undefined => {
      if (free === 0) return undefined;
      free--;
      // Nobody looks into it.
      return {} as Conduit;
    },
    want: (users: number) => void wanted.push(users),
  };
}

function setUp(maxWaiting = 10) {
  const served: string[] = [];
  const refused: string[] = [];
  const user = (remote: string): ConduitUser => ({
    kind: "tcp",
    remote,
    onConduit: () => served.push(remote),
    onNoConduit: ({ code }: TunnelError) => refused.push(`${remote} ${code}`),
  });
  const waits = new Latency();
  const queue = new ConduitQueue(1000, maxWaiting, waits);
  return { queue, waits, user, served, refused };
}

test("serves in the order of coming, and nobody who comes overtakes who waits", () => {
  const { queue, user, served } = setUp();
  const session = fakeSession();
  queue.setSession(session);
  for (const remote of ["1", "2", "3"]) queue.request(user(remote));
  expect(session.wanted).toEqual([1, 2, 3]);
  session.add(2);
  // One conduit is there for the taking, and three wait for it.
  queue.request(user("4"));
  expect(served).toEqual([]);
  queue.serve();
  expect(served).toEqual(["1", "2"]);
  session.add(2);
  queue.serve();
  expect(served).toEqual(["1", "2", "3", "4"]);
  queue.close();
});

test("lets users wait over a change of the session, in their order", () => {
  const { queue, user, served } = setUp();
  for (const remote of ["1", "2"]) queue.request(user(remote));
  const session = fakeSession();
  session.add(1);
  queue.setSession(session);
  expect(served).toEqual(["1"]);
  expect(session.wanted).toEqual([1]);
  queue.close();
});

test("has a bound, and tells who waits when it closes", () => {
  const { queue, user, refused } = setUp(2);
  const gone = user("gone");
  queue.request(gone);
  queue.request(user("stays"));
  queue.request(user("over"));
  expect(refused).toEqual(["over POOL_TIMEOUT"]);
  queue.cancel(gone);
  queue.close();
  expect(refused).toEqual(["over POOL_TIMEOUT", "stays CLOSED"]);
});

test("measures who is served, and nobody who is refused", () => {
  // Files share a worker, and some of them set the clock: here it is this one's.
  vi.useFakeTimers();
  const { queue, user, waits, refused } = setUp(1);
  const session = fakeSession();
  session.add(1);
  queue.setSession(session);
  queue.request(user("at once"));
  expect(waits.snapshot().sumMs).toBe(0);
  queue.request(user("waits"));
  queue.request(user("too many"));
  expect(refused).toEqual(["too many POOL_TIMEOUT"]);
  vi.advanceTimersByTime(20);
  session.add(1);
  queue.serve();
  const { counts, sumMs } = waits.snapshot();
  expect(counts.reduce((sum, count) => sum + count)).toBe(2);
  expect(sumMs).toBe(20);
  queue.close();
  vi.useRealTimers();
});
