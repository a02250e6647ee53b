import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { renewMasterKey } from "../src/index.ts";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const ignore = (): void => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

it("gives a master that does not run a new key, and keeps all else", async () => {
  const before = await startMaster();
  const { stateDirectory } = before;
  const { id } = await before.api.create("client://127.0.0.1:0/127.0.0.1:9?mode=1", "kept");
  const lost = before.master.apiKey;
  await expect(renewMasterKey({ stateDirectory, logger })).rejects.toMatchObject({
    code: "STATE_LOCKED",
    message: expect.stringContaining(`${process.pid}`),
  });
  await before.master.close();

  const key = await renewMasterKey({ stateDirectory, logger });
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(key).not.toBe(lost);
  for (const name of ["nodepass.msgpack", "nodepass.msgpack.backup"]) {
    const text = readFileSync(join(stateDirectory, name), "latin1");
    expect([text.includes(key), text.includes(lost)]).toEqual([true, false]);
  }
  const after = await startMaster({ stateDirectory });
  expect(after.master.apiKey).toBe(key);
  expect(await after.api.instances()).toMatchObject([{ id, alias: "kept" }]);
});

it("makes no state where there is none", async () => {
  const stateDirectory = temporaryFolder();
  await expect(renewMasterKey({ stateDirectory, logger })).rejects.toMatchObject({
    code: "STATE_UNUSABLE",
    message: `there is no state of a master in ${stateDirectory}`,
  });
  expect(readdirSync(stateDirectory)).toEqual([]);
});
