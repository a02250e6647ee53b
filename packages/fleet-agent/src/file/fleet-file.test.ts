import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { FleetFile, type FleetFileData } from "./fleet-file.ts";

const data: FleetFileData = {
  ...{ v: 1, fleet: "prod", mid: "00000000000000a1", seed: "SUTHESEED", jwt: "the.jw.t" },
  ...{ box: new Uint8Array(32).fill(0xab), hubKey: new Uint8Array(32), fingerprint: "sha256:x" },
  ...{ issued: 0, expires: 0, servers: [], ca: "", hubs: ["https://hub/api"], pin: "", left: "" },
  ...{ revision: 0, bucket: "", former: [] },
  parts: [
    {
      ...{ sid: "s", part: 0, rev: 1, epoch: 1, bucket: "", running: true, alias: "", tags: {} },
      ...{ url: "server://thekey@:1/:2", strict: false, ttlMs: 0, instance: null, tries: 0 },
      reason: "",
    },
  ],
};

it("shows none of its secrets, and is its owner's alone whatever the umask", async () => {
  const folder = mkdtempSync(join(tmpdir(), "np-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const umask = process.umask(0);
  onTestFinished(() => {
    process.umask(umask);
  });
  const file = await FleetFile.create(folder, data);
  for (const name of readdirSync(folder)) {
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
  }
  const shown = `${inspect({ file }, { depth: 9, showHidden: true })}${JSON.stringify({ file })}`;
  expect(shown).toContain("00000000000000a1");
  expect(shown).not.toMatch(/SUTHESEED|the\.jw\.t|thekey|171|ab ab/);
  const again = await FleetFile.open(folder);
  expect(again?.data).toMatchObject({ seed: data.seed, jwt: data.jwt, parts: data.parts });
});
