import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const fixtures = fileURLToPath(new URL("../../go-state/test/fixtures/", import.meta.url));
const VERSIONS = ["1.14", "2.0.0-b10"];

/** What is kept of an instance, whether it runs or not. */
const KEPT = ["id", "alias", "type", "url", "restart", "meta", "tcprx", "tcptx", "udprx", "udptx"];

/** The parts of the answers that must be the same. */
function kept(instances: readonly object[]): object[] {
  return instances
    .map((instance) =>
      Object.fromEntries(Object.entries(instance).filter(([name]) => KEPT.includes(name))),
    )
    .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

it.each(VERSIONS)("takes over what NodePass %s has left beside the program", async (version) => {
  const folder = temporaryFolder();
  const file = join(folder, "gob", "nodepass.gob");
  mkdirSync(join(folder, "gob"));
  cpSync(join(fixtures, `nodepass-${version}.gob`), file);
  const answered = JSON.parse(readFileSync(join(fixtures, `nodepass-${version}.json`), "utf8"));
  const before = readFileSync(file);

  const goStateFiles = [join(folder, "not-there.gob"), file];
  const first = await startMaster({ goStateFiles });
  // The client uses the key that came along.
  expect(kept(await first.api.instances())).toEqual(
    kept(answered.filter((each: { id: string }) => each.id !== "********")),
  );
  expect(first.master.apiKey).toBe(
    answered.find((each: { id: string }) => each.id === "********").url,
  );
  expect(first.master.freshKey).toBe(false);
  expect(first.log()).toContain("state of the Go program taken over");
  await first.master.close();
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(join(folder, "gob"))).toEqual(["nodepass.gob"]);

  // Its own state from then on, whatever becomes of the file.
  writeFileSync(file, "damaged");
  const { stateDirectory } = first;
  const second = await startMaster({ stateDirectory, goStateFiles });
  expect(kept(await second.api.instances())).toEqual(
    kept(answered.filter((each: { id: string }) => each.id !== "********")),
  );
  expect(second.log()).not.toContain("taken over");
});

it("does not start with a damaged file, and takes nothing over by halves", async () => {
  const stateDirectory = temporaryFolder();
  const file = join(temporaryFolder(), "nodepass.gob");
  const whole = readFileSync(join(fixtures, "nodepass-1.14.gob"));
  writeFileSync(file, whole.subarray(0, whole.length - 10));
  for (const options of [{ goStateFiles: [file] }, { importFile: file }]) {
    await expect(startMaster({ stateDirectory, ...options })).rejects.toMatchObject({
      code: "IMPORT_FAILED",
      message: expect.stringMatching(/nodepass\.gob can't be taken over: .* at byte \d+$/),
    });
  }
  expect(readdirSync(stateDirectory).filter((name) => name.endsWith(".msgpack"))).toEqual([]);
  writeFileSync(file, whole);
  expect(
    await (await startMaster({ stateDirectory, importFile: file })).api.instances(),
  ).toHaveLength(3);
});

it("says that a named file is missing, and that there is a state already", async () => {
  const missing = join(temporaryFolder(), "nodepass.gob");
  await expect(startMaster({ importFile: missing })).rejects.toMatchObject({
    code: "IMPORT_FAILED",
  });
  const { master, stateDirectory } = await startMaster();
  await master.close();
  const importFile = join(fixtures, "nodepass-1.14.gob");
  await expect(startMaster({ stateDirectory, importFile })).rejects.toMatchObject({
    code: "IMPORT_FAILED",
    message: expect.stringContaining("has a state already"),
  });
});
