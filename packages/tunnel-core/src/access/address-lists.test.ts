import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { AddressLists } from "./address-lists.ts";

const folder = mkdtempSync(join(tmpdir(), "nodepass-lists-"));
afterAll(() => rmSync(folder, { recursive: true }));

function listsOf(allow: readonly string[], deny: readonly string[] = [], place = "users" as const) {
  let now = 0;
  const told: string[] = [];
  const lists = new AddressLists({
    allow,
    deny,
    place,
    now: () => now,
    onFile: (file, reason) => told.push(`${file.slice(folder.length + 1)} ${reason ?? "reloaded"}`),
  });
  return {
    lists,
    told,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe("who may come", () => {
  test.each([
    [[], [], true, true],
    [["10.0.0.0/8"], [], true, false],
    [[], ["10.0.0.0/8"], false, true],
    [["0.0.0.0/0"], ["10.0.0.0/8"], false, true],
    // Items of the other port keep nobody out here.
    [["peers:192.0.2.1"], ["peers:10.0.0.0/8"], true, true],
    [["users:10.0.0.0/8", "peers:192.0.2.1"], [], true, false],
    [["10.0.0.0/9", "users:192.0.2.0/24"], [], true, true],
  ])("allow %j deny %j", (allow, deny, ten, other) => {
    const { lists } = listsOf(allow, deny);
    expect([lists.admits("10.0.0.1"), lists.admits("192.0.2.1")]).toEqual([ten, other]);
  });

  test("is open where there is no item for the port", () => {
    expect(listsOf(["peers:10.0.0.0/8"]).lists.isOpen).toBe(true);
    expect(listsOf(["10.0.0.0/8"]).lists.isOpen).toBe(false);
  });
});

describe("files", () => {
  test("are read again when they change, at most once a second", () => {
    const path = join(folder, "one.txt");
    writeFileSync(path, "# office\n10.0.0.0/8   # all of it\n\n2001:db8::/32\r\n");
    const { lists, wait, told } = listsOf([`file:${path}`, "192.0.2.1"]);
    expect(lists.admits("10.1.1.1")).toBe(true);
    expect(lists.admits("2001:db8::1")).toBe(true);
    expect(lists.admits("192.0.2.1")).toBe(true);
    writeFileSync(path, "172.16.0.0/12");
    expect(lists.admits("10.1.1.1")).toBe(true);
    wait(1000);
    expect(lists.admits("10.1.1.1")).toBe(false);
    expect(lists.admits("172.16.0.1")).toBe(true);
    expect(told).toEqual(["one.txt reloaded"]);
  });

  test("that break or vanish are told once, and what they said stays", () => {
    const path = join(folder, "two.txt");
    writeFileSync(path, "10.0.0.0/8");
    const { lists, wait, told } = listsOf([], [`file:${path}`]);
    writeFileSync(path, "10.0.0.0/8\n10.0.0.0/99\n");
    for (let look = 0; look < 3; look++) {
      wait(1000);
      expect(lists.admits("10.1.1.1")).toBe(false);
    }
    expect(told).toEqual([
      `two.txt file ${path}, line 2: "10.0.0.0/99" is no address or network such as 10.0.0.0/8`,
    ]);
    rmSync(path);
    wait(1000);
    expect(lists.admits("10.1.1.1")).toBe(false);
    expect(told.at(-1)).toBe(`two.txt file ${path} cannot be used: ENOENT`);
    writeFileSync(path, "192.0.2.0/24");
    wait(1000);
    expect(lists.admits("10.1.1.1")).toBe(true);
  });

  test.each([
    ["missing.txt", undefined, /missing\.txt cannot be used: ENOENT/],
    ["name.txt", "10.0.0.1\nexample.com", /name\.txt, line 2: "example\.com" is no address/],
    ["many.txt", "10.0.0.1\n".repeat(100_001), /many\.txt has more than 100000 networks/],
    ["large.txt", "#".repeat(5_000_000), /large\.txt cannot be used: it has 5000000 bytes/],
  ])("%s is refused at the start", (name, content, message) => {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content);
    expect(() => listsOf([`file:${path}`])).toThrow(message);
  });
});
