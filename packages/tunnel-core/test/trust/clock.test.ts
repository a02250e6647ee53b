import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { startScriptedTarget } from "../support/scripted-target.ts";
import { eventually, openPair } from "../support/tunnel-pair.ts";
import { SteadyUsers } from "./support/steady-users.ts";

const HOUR_MS = 3_600_000;
const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

afterEach(() => {
  vi.useRealTimers();
});

test("only certificates, which have dates, look at the wall clock", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/\.(test|bench)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(50);
  const looking = files.filter((file) =>
    /\bDate\.now\b|new Date\(|\bDate\(\)/.test(readFileSync(`${SRC}${file}`, "utf8")),
  );
  expect(looking.sort()).toEqual([
    "tls/certificate-authority.ts",
    "tls/certificate-files.ts",
    "tls/self-signed.ts",
  ]);
});

test.each([0, 1] as const)(
  "a clock set forward and back costs nobody his connection, tls %i",
  async (tls) => {
    const target = await startScriptedTarget();
    const pair = await openPair({ flow: "reverse", target: target.at, tls });
    const users = new SteadyUsers({ entry: pair.entry, rate: 50 });
    let checkPoints = 0;
    pair.entryEnd.on("checkpoint", () => checkPoints++);
    await users.run(200);
    for (const hours of [1, -1, 24 * 365, -24 * 365]) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * HOUR_MS });
      await users.run(150);
      vi.useRealTimers();
    }
    await eventually(() => expect(checkPoints).toBeGreaterThan(1));
    await users.stop();
    expect(users.failed).toEqual([]);
    expect(users.records.length).toBeGreaterThan(10);
    expect(pair.logs.some(({ message }) => message === "session ended")).toBe(false);
    await pair.close();
    await target.close();
    await expectNoSockets();
  },
);
