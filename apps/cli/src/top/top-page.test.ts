import { type RemoteInstance, readEvent, readInstance } from "@nodepass/master-client";
import { describe, expect, it } from "vitest";
import { createStyle } from "../output/colour.ts";
import { createInstanceBoard, type SortOrder } from "./instance-board.ts";
import { layOutScreen } from "./top-page.ts";

function instance(fields: Record<string, unknown>): RemoteInstance {
  const read = readInstance({
    type: "server",
    status: "running",
    url: "server://:1/:2",
    ...fields,
  });
  if (read === undefined) throw new Error("no instance");
  return read;
}

describe("the board", () => {
  const board = createInstanceBoard();
  const all = (tcprx: number) => [
    instance({ id: "a", alias: "busy", tcprx, tcps: 1 }),
    instance({ id: "b", alias: "big", udptx: 1_000_000 }),
    instance({ id: "c", tcps: 9 }),
  ];
  board.replace(all(0), 0);
  board.replace(all(5000), 5000);

  it.each<[SortOrder, string[]]>([
    ["rate", ["a", "b", "c"]],
    ["traffic", ["b", "a", "c"]],
    ["connections", ["c", "a", "b"]],
    ["name", ["b", "a", "c"]],
  ])("sorts by %s, and by name where that is equal", (order, ids) => {
    expect(board.rows(order, 5000).map((row) => row.instance.id)).toEqual(ids);
  });

  it("takes events, but no numbers of log lines, and forgets what is deleted or not listed", () => {
    const own = createInstanceBoard();
    const event = (type: string, tcps: number) => ({
      type,
      time: "",
      logs: "",
      instance: instance({ id: "a", tcps }),
    });
    own.apply(event("initial", 1), 0);
    own.apply(event("log", 2), 1);
    expect(own.rows("name", 1).map((row) => row.instance.tcps)).toEqual([1]);
    own.apply(event("update", 3), 2);
    expect(own.rows("name", 2).map((row) => row.instance.tcps)).toEqual([3]);
    own.apply(event("delete", 3), 3);
    expect(own.rows("name", 3)).toEqual([]);
    own.apply(event("create", 4), 4);
    own.replace([], 5);
    expect(own.rows("name", 5)).toEqual([]);
  });
});

describe("a screen", () => {
  const board = createInstanceBoard();
  board.replace(
    Array.from({ length: 50 }, (_, index) => instance({ id: `id${index}`, alias: `名前${index}` })),
    0,
  );

  it.each([
    [80, 24],
    [20, 5],
    [10, 1],
    [300, 100],
  ])("of %i by %i has no more lines than fit", (width, height) => {
    const lines = layOutScreen({
      master: "http://127.0.0.1:9090",
      rows: board.rows("name", 0),
      source: "live",
      time: new Date(0),
      style: createStyle(true),
      order: "name",
      offset: 0,
      width,
      height,
    });
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(lines.join("")).not.toContain("\n");
  });
});

it("a screen of 80 columns shows the rates of a busy instance whole", () => {
  const board = createInstanceBoard();
  const counters = { tcprx: 123_456_789, tcptx: 999_999_999, tcps: 1000, udps: 999, pool: 1024 };
  const name = "a-name-of-24-characters-";
  const row = instance({ id: "a", alias: name, ping: 123, ...counters });
  board.replace([row], 0);
  board.replace([{ ...row, tcprx: row.tcprx * 9, tcptx: row.tcptx * 9 }], 1000);
  const page = {
    master: "http://127.0.0.1:9090",
    rows: board.rows("name", 1000),
    source: "live",
    time: new Date(0),
    style: createStyle(false),
    order: "name",
    offset: 0,
    height: 24,
  } as const;
  const lines = layOutScreen({ ...page, width: 80 });
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.join("\n")).toMatch(/a-name-of-24-characters- .*running .*MB\/s .*GB\/s .*1000/);
  expect(layOutScreen({ ...page, width: 200 }).join("\n")).toContain("server://");
});

describe("readEvent", () => {
  it("reads events of old and new masters, and nothing of the key's entry", () => {
    const read = readEvent('{"type":"update","instance":{"id":"a","type":"client"}}');
    expect(read).toMatchObject({ type: "update", time: "", logs: "" });
    expect(read?.instance).toMatchObject({ id: "a", alias: "", tags: {}, tcps: 0 });
    expect(readEvent('{"type":"shutdown","instance":null}')).toMatchObject({ type: "shutdown" });
    expect(
      readEvent('{"type":"initial","instance":{"id":"********","type":"","url":"key"}}'),
    ).toBeUndefined();
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '{"type":1}',
    '{"type":"update"}',
    '{"type":"log","instance":3}',
  ])("reads nothing from %j", (data) => {
    expect(readEvent(data)).toBeUndefined();
  });
});
