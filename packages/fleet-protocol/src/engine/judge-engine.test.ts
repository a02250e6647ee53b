import { describe, expect, test } from "vitest";
import { judgeEngine, judgeVersion, readEngineAnswer } from "./judge-engine.ts";

interface Told {
  name?: string;
  ver?: string;
  active?: number;
  config?: { sync_always?: boolean; sync_interval?: number } | null;
}

/** As nats-server 2.15.2 answers, but for what is not read. */
function answer({
  name = "n1",
  ver = "2.15.2",
  active = 1,
  config = { sync_interval: 120e9, sync_always: true },
}: Told = {}) {
  const body = {
    server: { name, host: "127.0.0.1", id: `N-${name}`, ver, jetstream: config !== null },
    statsz: {
      active_servers: active,
      ...(config === null ? {} : { jetstream: { config, stats: {} } }),
    },
  };
  const read = readEngineAnswer(new TextEncoder().encode(JSON.stringify(body)));
  if (read === undefined) throw new Error("not read");
  return read;
}

const codes = (...told: Told[]) =>
  judgeEngine(told.map((one) => answer(one))).map(({ code, server }) => [code, server]);

describe("an engine", () => {
  test("of one or three servers that write at once has no problem", () => {
    expect(codes({})).toEqual([]);
    expect(codes(...["a", "b", "c"].map((name) => ({ name, active: 3 })))).toEqual([]);
  });

  test.each(["2.9.10", "2.11.9", "1.99.0", "unknown", ""])("of version %j is refused", (ver) => {
    expect(codes({ ver })).toEqual([["OLD_VERSION", "n1"]]);
    expect(judgeVersion("n1", ver)?.message).toContain(`n1 is ${ver}`);
  });

  test.each(["2.12.0", "2.12.0-RC.1", "2.15.2", "3.0.0"])("of version %j is taken", (ver) => {
    expect(codes({ ver })).toEqual([]);
  });

  test("one of whose servers writes lazily is refused with its name", () => {
    const lazy = { name: "b", active: 3, config: { sync_interval: 120e9 } };
    const found = judgeEngine(
      [{ name: "a", active: 3 }, lazy, { name: "c", active: 3 }].map(answer),
    );
    expect(found.map(({ code, server }) => [code, server])).toEqual([["SYNC_INTERVAL", "b"]]);
    expect(found[0]?.message).toContain("nats-server b writes to the disk every 120 s");
    expect(found[0]?.message).toContain("sync_interval: always");
  });

  test("one of whose servers is silent is not known to be good", () => {
    expect(codes({ name: "a", active: 3 }, { name: "b", active: 3 })).toEqual([["NO_ANSWER", ""]]);
    expect(judgeEngine([answer({ active: 3 })])).toMatchObject([{ fatal: false }]);
    expect(judgeEngine([])).toMatchObject([{ code: "NO_ANSWER", fatal: true }]);
  });

  test("needs JetStream on one server, not on all", () => {
    expect(codes({ name: "a", active: 2 }, { name: "b", active: 2, config: null })).toEqual([]);
    expect(codes({ config: null })).toEqual([["NO_JETSTREAM", ""]]);
  });

  test("is not judged twice by one server's two answers", () => {
    expect(codes({ active: 2 }, { active: 2 })).toEqual([["NO_ANSWER", ""]]);
  });
});

test("what is no answer of a server is not read", () => {
  for (const text of ["", "{", "null", "[]", '{"server":{}}', '{"server":1,"statsz":{}}']) {
    expect(readEngineAnswer(new TextEncoder().encode(text))).toBeUndefined();
  }
});
