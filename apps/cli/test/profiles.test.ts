import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fakeInstance, fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";

it("saves a master that accepts the key, for its owner only, and uses it from then on", async () => {
  const master = await startFakeMaster();
  master.instances.set("a1b2c3d4", fakeInstance());
  const folder = temporaryFolder();
  const environment = { XDG_CONFIG_HOME: folder };
  const saving = startCli(["login", "--master", master.url], { environment });
  saving.child.stdin.end(`${fakeKey}\n`);
  const saved = await saving.ended;
  expect(saved).toMatchObject({ code: 0, stderr: "" });
  expect(saved.stdout).not.toContain(fakeKey);
  const file = join(folder, "nodepass", "profiles.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "nodepass")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "nodepass"))).toEqual(["profiles.json"]);
  expect(await runCli(["ls", "-q"], { environment })).toMatchObject({ stdout: "a1b2c3d4\n" });

  chmodSync(file, 0o644);
  const { code, stderr } = await runCli(["ls", "-q"], { environment });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^nodepass: others can read the keys in .*: chmod 600 it\n$/);
});

it("saves nothing if the master refuses the key", async () => {
  const master = await startFakeMaster();
  const environment = { XDG_CONFIG_HOME: temporaryFolder(), NP_API_KEY: "hunter2" };
  const refused = await runCli(["login", "--master", master.url], { environment });
  expect(refused).toMatchObject({ code: 4, stdout: "" });
  expect(refused.stderr).not.toContain("hunter2");
  expect(JSON.parse((await runCli(["profile", "ls", "--json"], { environment })).stdout)).toEqual(
    [],
  );
});

it("keeps several profiles, and their keys to itself", async () => {
  const master = await startFakeMaster();
  const environment = { XDG_CONFIG_HOME: temporaryFolder() };
  const run = (...argv: string[]) => runCli(argv, { environment });
  await run("login", "--master", master.url, "--key", fakeKey);
  await run("login", "other", "--master", "https://other.example", "--key", "k", "--no-check");
  const { stdout } = await run("profile", "ls");
  expect(stdout).toMatch(/^ {3}default {2}http:\/\/127.*\n\* {2}other {4}https:\/\/other/m);
  expect(stdout).not.toContain(fakeKey);
  expect(await run("info", "--profile", "default")).toMatchObject({ code: 0 });
  expect(await run("profile", "use", "default")).toMatchObject({ code: 0 });
  expect(await run("info")).toMatchObject({ code: 0 });
  expect(await run("profile", "rm", "default")).toMatchObject({ code: 0 });
  expect(await run("info")).toMatchObject({ code: 4 });
  expect(await run("profile", "use", "default")).toMatchObject({ code: 1 });
});

it("saves a renewed key where the old one was", async () => {
  const master = await startFakeMaster();
  const environment = { XDG_CONFIG_HOME: temporaryFolder() };
  await runCli(["login", "--master", master.url, "--key", fakeKey], { environment });
  const renewed = await runCli(["key", "renew"], { environment });
  expect(renewed).toMatchObject({ code: 0, stdout: "the-new-key\n" });
  expect(await runCli(["info"], { environment })).toMatchObject({ code: 0 });
});

it("says that a broken file is broken", async () => {
  const folder = temporaryFolder();
  const environment = { XDG_CONFIG_HOME: folder };
  await runCli(["login", "--master", "h", "--key", fakeKey, "--no-check"], { environment });
  const file = join(folder, "nodepass", "profiles.json");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
  const { code, stderr } = await runCli(["ls"], { environment });
  expect(code).toBe(1);
  expect(stderr).toContain(`${file} is no file of profiles`);
});

it("asks for a master's key, and names the ways to give it", async () => {
  const environment = { XDG_CONFIG_HOME: temporaryFolder() };
  const { code, stderr } = await runCli(["ls"], { environment });
  expect(code).toBe(4);
  expect(stderr).toContain("nodepass login --master");
});

it("says the default of a time in the unit that it is given in", async () => {
  expect((await runCli(["login", "--help"])).stdout).toMatch(/longest wait.*\s+\(default: 15\)/);
});
