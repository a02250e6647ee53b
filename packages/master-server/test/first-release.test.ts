import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const folder = new URL("../../store/test/first-release/", import.meta.url);
const answered: {
  readonly apiKey: string;
  readonly instances: readonly Readonly<Record<string, unknown>>[];
} = JSON.parse(readFileSync(new URL("answers.json", folder), "utf8"));

it("answers from the first release's state what the first release answered, field by field", async () => {
  const stateDirectory = temporaryFolder();
  copyFileSync(new URL("nodepass.msgpack", folder), join(stateDirectory, "nodepass.msgpack"));
  const { master, api } = await startMaster({ stateDirectory, url: "master://127.0.0.1:0/api" });
  await master.started;
  expect(master.apiKey).toBe(answered.apiKey);
  const listed = await api.get<Record<string, unknown>[]>("/instances");
  expect(listed).toHaveLength(answered.instances.length);
  for (const [index, before] of answered.instances.entries()) {
    const now = listed[index] ?? {};
    // In their order, in front of what is new: some clients show JSON as it comes.
    expect(Object.keys(now).slice(0, Object.keys(before).length)).toEqual(Object.keys(before));
    const { config, ping, ...fixed } = before;
    expect(now).toMatchObject(fixed);
    expect(Number.isInteger(now.ping) && Number.isInteger(ping)).toBe(true);
    // A newer release has more parameters with a default; those there were stay.
    const parameters = (text: unknown) => String(text).split("?")[1]?.split("&") ?? [];
    expect(parameters(now.config)).toEqual(expect.arrayContaining(parameters(config)));
  }
});
