import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../src/", import.meta.url);

/** The files of a room, without its tests. */
const filesOf = (room: string): string[] =>
  readdirSync(new URL(`${room}/`, folder)).filter(
    (name) => name.endsWith(".ts") && !/\.(?:test|bench)\.ts$/.test(name),
  );

const importsOf = (file: string): string[] => {
  const text = readFileSync(new URL(file, folder), "utf8");
  return [...text.matchAll(/from "([^"]+)"/g)].map(([, from = ""]) => from);
};

// Over whatever carrier: what they are given are streams.
test.each(["handshake", "pool", "session", "conduit", "lane", "relay"])(
  "%s knows no sockets",
  (room) => {
    const files = filesOf(room);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const sockets = importsOf(`${room}/${file}`).filter((from) =>
        /^node:(?:net|tls|dgram|http2)$/.test(from),
      );
      expect([file, sockets]).toEqual([file, []]);
    }
  },
);

test("which carrier belongs to a type is said in one file", () => {
  const rooms = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const naming = rooms.filter(
    (file) =>
      file.endsWith(".ts") &&
      !/\.test\.ts$/.test(file) &&
      /import\("\.\/.*carrier\.ts"\)/.test(readFileSync(new URL(file, folder), "utf8")),
  );
  expect(naming).toEqual(["carrier/carriers.ts"]);
});
