import { describe, expect, test } from "vitest";
import type { Conduit } from "../conduit/conduit.ts";
import type { Session } from "../session/session.ts";
import { type BalancedPeer, PeerBalance } from "./peer-balance.ts";
import { PeerLoad } from "./peer-load.ts";

/** A peer with as many conduits as a test says. */
function peer(number: number, ping = 5) {
  const state = { free: 100, answers: true, wanted: [] as number[] };
  const session: BalancedPeer["session"] = {
    open: () => (state.free-- > 0 ? ({} as Conduit) : undefined),
    want: (count) => state.wanted.push(count),
    answers: () => state.answers,
    ping,
    terms: {} as Session["terms"],
  };
  return { number, session, load: new PeerLoad(), state };
}

type Fake = ReturnType<typeof peer>;

function setUp(mode: 0 | 1 | 2 | undefined, ...peers: Fake[]) {
  const balance = new PeerBalance(mode);
  for (const each of peers) balance.add(each);
  /** Users who stay; whom each goes to, by number. */
  const users = (count: number): string =>
    Array.from({ length: count }, () => {
      const load = balance.open("tcp", "192.0.2.1:5")?.load;
      load?.began("tcp", { receivedBytes: 0, sentBytes: 0 });
      return peers.find((each) => each.load === load)?.number ?? "-";
    }).join("");
  return { balance, users };
}

describe("which peer gets the next user", () => {
  test("the one with the fewest connections; of equals, the one that was longest without", () => {
    const [one, two, three] = [peer(1), peer(2), peer(3)];
    const { users } = setUp(undefined, one, two, three);
    expect(users(6)).toBe("123123");
    const carried = { receivedBytes: 7, sentBytes: 9 };
    two.load.began("udp", carried);
    expect(users(2)).toBe("13");
    two.load.ended("udp", carried);
    expect(users(1)).toBe("2");
    expect(two.load.counters()).toMatchObject({ users: 4, udps: 0, udprx: 7, udptx: 9 });
  });

  test.each([
    [0 as const, "123123"],
    [1 as const, "222222"],
    [2 as const, "111111"],
  ])("lbs=%i", (mode, expected) => {
    // The third has not measured yet.
    const { users } = setUp(mode, peer(1, 9), peer(2, 3), peer(3, 0));
    expect(users(6)).toBe(expected);
  });

  test("never one that does not answer while others do, nor one whose pool is empty", () => {
    const [one, two] = [peer(1), peer(2)];
    const { users } = setUp(2, one, two);
    one.state.answers = false;
    expect(users(2)).toBe("22");
    two.state.answers = false;
    // A slow one is better than none.
    expect(users(2)).toBe("11");
    one.state.answers = true;
    two.state.answers = true;
    one.state.free = 1;
    expect(users(3)).toBe("122");
    two.state.free = 0;
    expect(users(1)).toBe("-");
  });
});

test("those who wait are shared out among those that answer", () => {
  const [one, two, three] = [peer(1), peer(2), peer(3)];
  const { balance } = setUp(undefined, one, two, three);
  three.state.answers = false;
  balance.want(5);
  expect([one, two, three].map(({ state }) => state.wanted)).toEqual([[3], [3], []]);
  balance.delete(one);
  balance.delete(three);
  balance.want(5);
  expect(two.state.wanted).toEqual([3, 5]);
  balance.delete(two);
  balance.want(5);
  expect([balance.size, balance.open("tcp", "")]).toEqual([0, undefined]);
});

test("where there can be one only, nothing is counted", () => {
  const only = { ...peer(1), load: undefined };
  const balance = new PeerBalance(undefined);
  balance.add(only);
  expect(balance.open("tcp", "")).toEqual({});
});
