import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "@nodepass/store";
import { expect, test } from "vitest";
import { useScratchDirectories } from "./support/scratch-directory.ts";

const scratch = useScratchDirectories();
const folder = new URL("./first-release/", import.meta.url);

interface Answered {
  readonly apiKey: string;
  readonly mid: string;
  readonly alias: string;
  readonly instances: readonly Readonly<Record<string, unknown>>[];
}

// The file was written by the first release (ca36b86), `answers.json` is what its API said of it.
test("the state file of the first release is read whole", async () => {
  const answered: Answered = JSON.parse(await readFile(new URL("answers.json", folder), "utf8"));
  const directory = await scratch();
  await copyFile(new URL("nodepass.msgpack", folder), join(directory, "nodepass.msgpack"));
  const { store, state, fresh, recovered } = await openStore({
    directory,
    createInitial: () => {
      throw new Error("the file was not read");
    },
  });
  await store.close();
  expect({ fresh, recovered }).toEqual({ fresh: false, recovered: undefined });
  expect(state).toMatchObject({
    apiKey: answered.apiKey,
    masterId: answered.mid,
    alias: answered.alias,
  });
  const [, ...instances] = answered.instances;
  expect(instances).toHaveLength(3);
  expect(state.instances.map(({ id }) => id)).toEqual(instances.map(({ id }) => id));
  for (const [index, record] of state.instances.entries()) {
    const told: Readonly<Record<string, unknown>> = instances[index] ?? {};
    const { id, alias, type, url, restart, meta, tcprx, tcptx, udprx, udptx, status } = told;
    expect(record).toMatchObject({ id, alias, type, url, restart, meta });
    expect(record).toMatchObject({ tcprx, tcptx, udprx, udptx });
    expect(record.running).toBe(status === "running");
    expect(record.createdAt).toBeGreaterThan(1_700_000_000_000);
    // Counters that the file does not know begin at nothing.
    expect(record.accepted).toBe(0);
  }
  expect(state.instances[0]?.tcprx).toBe(123_456);
});
