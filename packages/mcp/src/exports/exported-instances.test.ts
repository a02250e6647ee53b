import { describe, expect, it } from "vitest";
import { parseExport } from "./exported-instances.ts";

const entry = {
  url: "server://:1/:2",
  alias: "a",
  restart: false,
  meta: { peer: null, tags: { x: "y" } },
};
const read = {
  url: "server://:1/:2",
  alias: "a",
  restart: false,
  meta: { peer: null, tags: { x: "y" } },
};

describe("parseExport", () => {
  it.each([
    ["a list", [entry]],
    ["a list by name", { instances: [entry] }],
    ["instances by their ids", { a1b2c3d4: entry }],
  ])("reads %s", (_what, content) => {
    expect(parseExport("nodepass.json", JSON.stringify(content))).toEqual([read]);
  });

  it("fills in what is missing", () => {
    const [only] = parseExport("n", '[{"url":"client://:1/:2","alias":null,"tcprx":5}]');
    expect(only).toEqual({ url: "client://:1/:2", alias: "", restart: true });
  });

  it.each([
    ["hunter2", "nodepass.json is not JSON"],
    ["3", "nodepass.json holds no list of instances"],
    [
      '[{"url":"server://:1/:2"},{"alias":"hunter2"}]',
      /entry 2: url: .*allowed: an object with url/,
    ],
    ['[{"url":"server://:1/:2","restart":"hunter2"}]', /entry 1: restart: /],
    ["[null]", /entry 1: entry: /],
  ])("says what is wrong with %s, and quotes nothing", (content, message) => {
    const parse = () => parseExport("nodepass.json", content);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/hunter2/);
  });
});
