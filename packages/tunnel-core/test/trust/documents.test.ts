import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const CORE = "packages/tunnel-core/";

function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, "utf8");
}

/** All test files, from the root. */
function testFiles(): string[] {
  return ["packages", "apps"].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`)
      .flatMap((name) => [`${folder}/${name}/test`, `${folder}/${name}/src`])
      .filter((room) => existsSync(`${ROOT}${room}`))
      .flatMap((room) =>
        readdirSync(`${ROOT}${room}`, { recursive: true, encoding: "utf8" })
          .filter((file) => file.endsWith(".test.ts"))
          .map((file) => `${room}/${file}`),
      ),
  );
}

test("every test and command that the threat model names is there", () => {
  const text = read("docs/security.md");
  const tests = text.match(/[\w./-]+\.test\.ts/g) ?? [];
  expect(tests.length).toBeGreaterThan(30);
  const all = testFiles();
  const missing = tests.filter((name) => !all.some((file) => `/${file}`.endsWith(`/${name}`)));
  expect(missing).toEqual([]);
  const commands = text.match(/(?:packages\/tunnel-core\/)?scripts\/[\w-]+\.mjs/g) ?? [];
  expect(commands.length).toBeGreaterThan(5);
  for (const command of commands) {
    expect(existsSync(`${ROOT}${CORE}${command.replace(CORE, "")}`), command).toBe(true);
  }
});

test("who finds a hole is told where to report it", () => {
  expect(read("SECURITY.md")).toMatch(/report/i);
  expect(read("SECURITY.md")).toContain("docs/security.md");
});
