import { existsSync, readdirSync, readFileSync } from "node:fs";
import { COUNTER_NAMES } from "@nodepass/model";
import { expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const page = read("docs/architecture.md");

/** One chapter of the page. */
const chapter = (title: string) => page.split(/^## /m).find((text) => text.startsWith(title)) ?? "";

/** Files of the walk from POST to a running tunnel, in its order. */
const walk = [
  ...chapter("From POST to a running tunnel").matchAll(/^\| \d+ \| `([^`]+)` \| (.+) \|$/gm),
].map(([, file = "", why = ""]) => ({
  file,
  why,
}));

it("names files that exist, at most half of the 26 that there were, each with its reason", () => {
  expect(walk.length).toBeGreaterThan(5);
  expect(walk.length).toBeLessThanOrEqual(13);
  expect(new Set(walk.map(({ file }) => file)).size).toBe(walk.length);
  for (const { file, why } of walk) {
    expect(existsSync(new URL(file, root)), file).toBe(true);
    expect(why.length).toBeGreaterThan(10);
  }
});

it("names every package and app, and no other", () => {
  const rows =
    chapter("Packages")
      .match(/^\| `.+?\|/gm)
      ?.join("") ?? "";
  const named = [...rows.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path);
  const all = ["packages", "apps"].flatMap((folder) =>
    readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`),
  );
  const real = all.filter((path) => existsSync(new URL(`${path}/package.json`, root)));
  expect(named.sort()).toEqual(real.sort());
});

it("names rooms of a fleet that exist", () => {
  const rows = [...chapter("A fleet's three rooms").matchAll(/^\| \d+ \| `([\w/-]+)`/gm)];
  expect(rows.length).toBeGreaterThan(6);
  for (const [, room = ""] of rows) {
    expect(existsSync(new URL(`packages/${room}`, root)), room).toBe(true);
  }
});

it("parses a URL in one file between the request and the tunnel", () => {
  const rooms = ["packages/master-api/src", "packages/instances/src"].flatMap((room) =>
    readdirSync(new URL(room, root), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .map((name) => `${room}/${name}`),
  );
  const files = new Set([...rooms, ...walk.map(({ file }) => file)]);
  // tunnel-core takes URLs too, for its own users.
  expect([...files].filter((file) => /parseTunnelUrl/.test(read(file)))).toEqual([
    "packages/instances/src/instance-url.ts",
    "packages/tunnel-core/src/open-tunnel.ts",
  ]);
});

it("has counters by name in the model's table and nowhere else on the way", () => {
  // Those that only a table can know: short words such as `pool` are words of other things too.
  const telling = COUNTER_NAMES.filter((name) => /[A-Z]/.test(name));
  expect(telling.length).toBeGreaterThan(3);
  for (const { file } of walk) {
    for (const name of telling)
      expect(read(file), `${name} in ${file}`).not.toMatch(`\\b${name}\\b`);
  }
});
