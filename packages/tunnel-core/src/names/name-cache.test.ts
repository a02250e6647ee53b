import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NameCache, type ResolvedAddress } from "./name-cache.ts";

const HOST = "target.example";
const v4 = (address: string): ResolvedAddress[] => [{ address, family: 4 }];
const FIRST = v4("192.0.2.1");
const SECOND = v4("192.0.2.2");
const TTL_MS = 60_000;

const notResolved = expect.objectContaining({
  code: "NAME_NOT_RESOLVED",
  message: expect.stringContaining(HOST),
});

/** A resolver whose answers the test gives. */
function fakeLookup() {
  return vi.fn<(host: string) => Promise<readonly ResolvedAddress[]>>();
}

/** Lets background refreshes settle. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("without a look-up", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7", 4],
    ["2001:db8::7", "2001:db8::7", 6],
    ["", "127.0.0.1", 4],
  ])("resolves %j at once", (host, address, family) => {
    const lookup = fakeLookup();
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    expect(names.resolve(host)).toEqual([{ address, family }]);
    expect(lookup).not.toHaveBeenCalled();
  });
});

describe("answers", () => {
  test("are used synchronously until the time is over", async () => {
    const lookup = fakeLookup().mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    expect(await names.resolve(HOST)).toEqual(FIRST);
    vi.advanceTimersByTime(TTL_MS - 1);
    expect(names.resolve(HOST)).toEqual(FIRST);
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test("that are too old are returned while one new one is fetched", async () => {
    const lookup = fakeLookup().mockResolvedValueOnce(FIRST).mockResolvedValueOnce(SECOND);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(TTL_MS);
    expect(names.resolve(HOST)).toEqual(FIRST);
    expect(names.resolve(HOST)).toEqual(FIRST);
    await settle();
    expect(names.resolve(HOST)).toEqual(SECOND);
    expect(lookup).toHaveBeenCalledTimes(2);
  });

  test("are asked for once by all who ask at the same time", async () => {
    const lookup = fakeLookup().mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    const answers = await Promise.all([names.resolve(HOST), names.resolve(HOST)]);
    expect(answers).toEqual([FIRST, FIRST]);
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test("keep the resolver's order and families", async () => {
    const both: ResolvedAddress[] = [
      { address: "2001:db8::1", family: 6 },
      { address: "192.0.2.1", family: 4 },
    ];
    const names = new NameCache({ ttlMs: TTL_MS, lookup: fakeLookup().mockResolvedValue(both) });
    expect(await names.resolve(HOST)).toEqual(both);
  });

  test("are not kept with ttlMs 0", async () => {
    const lookup = fakeLookup().mockResolvedValueOnce(FIRST).mockResolvedValueOnce(SECOND);
    const names = new NameCache({ ttlMs: 0, lookup });
    expect(await names.resolve(HOST)).toEqual(FIRST);
    expect(await names.resolve(HOST)).toEqual(SECOND);
  });
});

describe("failures", () => {
  test("of a first look-up reject, naming the host", async () => {
    const cause = new Error("getaddrinfo ENOTFOUND");
    const names = new NameCache({ ttlMs: TTL_MS, lookup: fakeLookup().mockRejectedValue(cause) });
    await expect(names.resolve(HOST)).rejects.toEqual(notResolved);
    await expect(names.resolve(HOST)).rejects.toHaveProperty("cause", cause);
  });

  test("include an answer without addresses", async () => {
    const names = new NameCache({ ttlMs: TTL_MS, lookup: fakeLookup().mockResolvedValue([]) });
    await expect(names.resolve(HOST)).rejects.toEqual(notResolved);
  });

  test("are tried again after a second, not before", async () => {
    const lookup = fakeLookup().mockRejectedValueOnce(new Error("down")).mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await expect(names.resolve(HOST)).rejects.toEqual(notResolved);
    vi.advanceTimersByTime(999);
    await expect(names.resolve(HOST)).rejects.toEqual(notResolved);
    expect(lookup).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(await names.resolve(HOST)).toEqual(FIRST);
  });

  test.each([0, TTL_MS])("keep the last good answer for ever (ttlMs %i)", async (ttlMs) => {
    const lookup = fakeLookup().mockResolvedValueOnce(FIRST).mockRejectedValue(new Error("down"));
    const names = new NameCache({ ttlMs, lookup });
    await names.resolve(HOST);
    for (let day = 0; day < 10; day++) {
      vi.advanceTimersByTime(86_400_000);
      expect(await names.resolve(HOST)).toEqual(FIRST);
      await settle();
    }
    expect(lookup).toHaveBeenCalledTimes(11);
  });

  test("after a good answer are tried again once a second", async () => {
    const lookup = fakeLookup()
      .mockResolvedValueOnce(FIRST)
      .mockRejectedValueOnce(new Error("down"))
      .mockResolvedValueOnce(SECOND);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(TTL_MS);
    for (let asked = 0; asked < 5; asked++) {
      expect(names.resolve(HOST)).toEqual(FIRST);
      await settle();
    }
    expect(lookup).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(names.resolve(HOST)).toEqual(FIRST);
    await settle();
    expect(names.resolve(HOST)).toEqual(SECOND);
  });
});

describe("an address that failed", () => {
  const BOTH: ResolvedAddress[] = [...FIRST, ...SECOND];
  const [{ address: one }] = FIRST as [ResolvedAddress];
  const [{ address: other }] = SECOND as [ResolvedAddress];

  test("is looked up again for the next attempt, which waits for the answer", async () => {
    const lookup = fakeLookup().mockResolvedValueOnce(FIRST).mockResolvedValueOnce(SECOND);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(1000);
    names.failed(HOST, one);
    expect(await names.resolve(HOST)).toEqual(SECOND);
    // It works: it keeps its time.
    vi.advanceTimersByTime(TTL_MS - 1);
    expect(names.resolve(HOST)).toEqual(SECOND);
    expect(lookup).toHaveBeenCalledTimes(2);
  });

  test("is looked up once a second at most, however often it fails", async () => {
    const lookup = fakeLookup().mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    for (let ms = 0; ms < 3000; ms += 10) {
      await names.resolve(HOST);
      names.failed(HOST, one);
      vi.advanceTimersByTime(10);
    }
    expect(lookup).toHaveBeenCalledTimes(3);
  });

  test("is kept when the look-up fails, and looked up again a second later", async () => {
    const lookup = fakeLookup()
      .mockResolvedValueOnce(FIRST)
      .mockRejectedValueOnce(new Error("down"))
      .mockResolvedValueOnce(SECOND);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(1000);
    names.failed(HOST, one);
    expect(await names.resolve(HOST)).toEqual(FIRST);
    vi.advanceTimersByTime(1000);
    expect(await names.resolve(HOST)).toEqual(SECOND);
  });

  test("makes nobody wait longer than a second for a resolver that is silent", async () => {
    const lookup = fakeLookup()
      .mockResolvedValueOnce(FIRST)
      .mockReturnValue(new Promise(() => undefined));
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(1000);
    names.failed(HOST, one);
    const answer = names.resolve(HOST);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toEqual(FIRST);
  });

  test("comes after the others of its name, of which nobody waits for a look-up", async () => {
    const lookup = fakeLookup().mockResolvedValue(BOTH);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(1000);
    names.failed(HOST, one);
    expect(names.resolve(HOST)).toEqual([...SECOND, ...FIRST]);
    await settle();
    expect(lookup).toHaveBeenCalledTimes(2);
    expect(names.resolve(HOST)).toEqual([...SECOND, ...FIRST]);
    vi.advanceTimersByTime(1);
    names.failed(HOST, other);
    expect(names.resolve(HOST)).toEqual([...FIRST, ...SECOND]);
  });

  test("that the name does not have changes nothing", async () => {
    const lookup = fakeLookup().mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup });
    await names.resolve(HOST);
    vi.advanceTimersByTime(1000);
    names.failed(HOST, "192.0.2.99");
    names.failed("unknown.example", one);
    expect(names.resolve(HOST)).toEqual(FIRST);
    expect(lookup).toHaveBeenCalledTimes(1);
  });
});

describe("time limit", () => {
  test("ends a first look-up that gets no answer", async () => {
    const lookup = fakeLookup().mockReturnValue(new Promise(() => undefined));
    const names = new NameCache({ ttlMs: TTL_MS, lookup, timeoutMs: 5000 });
    const answer = expect(names.resolve(HOST)).rejects.toEqual(notResolved);
    await vi.advanceTimersByTimeAsync(5000);
    await answer;
  });

  test("falls back on the last good answer", async () => {
    const lookup = fakeLookup()
      .mockResolvedValueOnce(FIRST)
      .mockReturnValue(new Promise(() => undefined));
    const names = new NameCache({ ttlMs: 0, lookup, timeoutMs: 5000 });
    await names.resolve(HOST);
    const answer = names.resolve(HOST);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await answer).toEqual(FIRST);
  });

  test("does not lose an answer that comes later, nor starts a second look-up", async () => {
    const { promise, answer } = pending();
    const lookup = fakeLookup().mockReturnValue(promise);
    const names = new NameCache({ ttlMs: TTL_MS, lookup, timeoutMs: 5000 });
    const first = expect(names.resolve(HOST)).rejects.toEqual(notResolved);
    await vi.advanceTimersByTimeAsync(6000);
    await first;
    const second = names.resolve(HOST);
    answer(SECOND);
    expect(await second).toEqual(SECOND);
    expect(names.resolve(HOST)).toEqual(SECOND);
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test("leaves no timer behind", async () => {
    const names = new NameCache({ ttlMs: TTL_MS, lookup: fakeLookup().mockResolvedValue(FIRST) });
    await names.resolve(HOST);
    expect(vi.getTimerCount()).toBe(0);
  });
});

function pending() {
  let answer: (addresses: readonly ResolvedAddress[]) => void = () => undefined;
  const promise = new Promise<readonly ResolvedAddress[]>((resolve) => {
    answer = resolve;
  });
  return { promise, answer: (addresses: readonly ResolvedAddress[]) => answer(addresses) };
}

describe("limits", () => {
  test("keeps at most maxNames, dropping the one refreshed longest ago", async () => {
    const lookup = fakeLookup().mockResolvedValue(FIRST);
    const names = new NameCache({ ttlMs: TTL_MS, lookup, maxNames: 2 });
    await names.resolve("a.example");
    await names.resolve("b.example");
    vi.advanceTimersByTime(TTL_MS);
    void names.resolve("a.example");
    await settle();
    await names.resolve("c.example");
    expect(names.resolve("a.example")).toEqual(FIRST);
    expect(names.resolve("c.example")).toEqual(FIRST);
    expect(names.resolve("b.example")).toBeInstanceOf(Promise);
  });

  test.each([
    { ttlMs: -1 },
    { ttlMs: Number.NaN },
    { ttlMs: 1, timeoutMs: 0 },
    { ttlMs: 1, maxNames: 0 },
  ])("refuses %j", (options) => {
    expect(() => new NameCache(options)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS" }),
    );
  });
});

test("resolves localhost with the system's resolver", async () => {
  vi.useRealTimers();
  const names = new NameCache({ ttlMs: TTL_MS });
  const addresses = await names.resolve("localhost");
  expect(addresses.map(({ address }) => address)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]),
  );
  expect(names.resolve("localhost")).toBe(addresses);
});
