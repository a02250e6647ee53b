import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, it, vi } from "vitest";
import { watchGivenKeys } from "../src/given-keys.ts";
import { startLines } from "../src/index.ts";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const GIVEN = "given-key-0123456789";
const READ = "read-key-0123456789";

async function status(url: string, key: string, path: string, method = "GET"): Promise<number> {
  const body = method === "POST" ? '{"url":"server://127.0.0.1:0/127.0.0.1:9"}' : null;
  const answer = await fetch(`${url}${path}`, { method, body, headers: { "X-API-Key": key } });
  await answer.body?.cancel();
  return answer.status;
}

it("takes its keys from outside, prints none, and refuses that of its state", async () => {
  const { master, log } = await startMaster({ keys: { apiKey: GIVEN, readKey: READ } });
  const { url } = master;
  expect(master.apiKey).toBe(GIVEN);
  expect(startLines(master).join()).not.toContain(GIVEN);
  expect(await status(url, GIVEN, "/instances")).toBe(200);
  expect(await status(url, READ, "/instances")).toBe(200);
  expect(await status(url, READ, "/instances", "POST")).toBe(403);
  expect(await status(url, GIVEN, "/keys/full", "POST")).toBe(403);
  expect(log()).not.toMatch(new RegExp(`${GIVEN}|${READ}`));
});

it("prints a new key at the first start, unless told not to", () => {
  const master = { url: "http://h/api", docsUrl: "http://h/api/docs", apiKey: "k" };
  const printed = (freshKey: boolean, showKey?: boolean) =>
    startLines({ ...master, freshKey }, { showKey }).includes("API KEY: k");
  expect([printed(true), printed(true, true), printed(true, false)]).toEqual([true, true, false]);
  expect([printed(false), printed(false, true), printed(false, false)]).not.toContain(true);
  expect(startLines({ ...master, freshKey: true }, { showKey: false }).at(-1)).toMatch(
    /NP_SHOW_KEY=1 .*NP_API_KEY_FILE .*nodepass-master --renew-key/,
  );
});

it("follows a key file that is replaced, and keeps the old key if it is no key", () => {
  const folder = temporaryFolder();
  const file = join(folder, "api.key");
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(`${GIVEN}\n`);
  const changes: unknown[] = [];
  const warnings: unknown[] = [];
  const logger = { ...SILENT_LOGGER, warn: (fields: unknown) => warnings.push(fields) };
  const keys = watchGivenKeys({ apiKeyFile: file }, logger, (now) => changes.push(now));
  try {
    expect(keys.current.apiKey).toBe(GIVEN);
    write("another-key-0123456789");
    keys.check();
    expect(changes).toEqual([{ apiKey: "another-key-0123456789", readKey: undefined }]);
    write("short");
    keys.check();
    expect(keys.current.apiKey).toBe("another-key-0123456789");
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).not.toContain("short");
  } finally {
    keys.close();
  }
});

it("says which file or option is wrong, without the key", async () => {
  for (const [keys, text] of [
    [{ apiKey: "too short" }, /apiKey holds a key of 9 characters; allowed: 16 to 1024/],
    [{ readKeyFile: "/nowhere/key" }, /readKeyFile \/nowhere\/key cannot be read: ENOENT/],
    [{ apiKey: GIVEN, readKey: GIVEN }, /the same key/],
  ] as const) {
    const failed = startMaster({ keys });
    await expect(failed).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
      message: expect.stringMatching(text),
    });
  }
});

it("ends event streams when a key file changes, and takes the new key from then on", async () => {
  const file = join(temporaryFolder(), "api.key");
  writeFileSync(file, GIVEN);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const { master, api } = await startMaster({ keys: { apiKeyFile: file } });
    const events = await api.events();
    writeFileSync(`${file}.new`, "another-key-0123456789");
    renameSync(`${file}.new`, file);
    vi.advanceTimersByTime(5000);
    await events.waitFor(({ type }) => type === "shutdown");
    expect(await status(master.url, GIVEN, "/info")).toBe(401);
    expect(await status(master.url, "another-key-0123456789", "/info")).toBe(200);
  } finally {
    vi.useRealTimers();
  }
});
