import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { reservePort } from "test-support";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, askUdp, startEcho } from "./support/sockets.ts";

/** A connection that stays open; it says back what it got, or `cut`. */
async function hold(port: number): Promise<(text: string) => Promise<string>> {
  const socket: Socket = connect(port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on("error", () => undefined);
  const say = (text: string) =>
    new Promise<string>((resolve) => {
      if (socket.destroyed) resolve("cut");
      socket.once("data", (data) => resolve(String(data)));
      socket.once("close", () => resolve("cut"));
      socket.write(text);
    });
  expect(await say("hello")).toBe("hello");
  return say;
}

/** Starts a file with tunnels and waits until they are there. */
async function start(file: string, environment: Readonly<Record<string, string>> = {}) {
  const running = startCli(["run", file], { environment });
  await running.waitFor(/configuration in force/);
  const reloads = () => running.stdout().split("configuration in force").length - 1;
  return {
    ...running,
    /** Waits for the report of the reload that `change` causes. */
    async reload(change: () => void): Promise<string> {
      const before = reloads();
      change();
      await expect.poll(reloads, { timeout: 30_000 }).toBeGreaterThan(before);
      return running.stdout().split("configuration in force").at(-1)?.split("\n")[0] ?? "";
    },
  };
}

it("reloads a file: what is the same is not touched, the rest in place or replaced", async () => {
  const echo = await startEcho();
  const ports = [
    await reservePort(),
    await reservePort(),
    await reservePort(),
    await reservePort(),
  ];
  const [same, light, heavy, gone] = ports;
  const file = join(temporaryFolder(), "nodepass.yaml");
  const entry = (port: number | undefined, more: string) =>
    `{ client: "127.0.0.1:${port}", target: "127.0.0.1:${echo}", mode: 1, noudp: 1${more} }`;
  const write = (lines: readonly string[]) =>
    writeFileSync(file, `tunnels:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  write([
    `same: ${entry(same, "")}`,
    `light: ${entry(light, "")}`,
    `heavy: ${entry(heavy, "")}`,
    `gone: ${entry(gone, "")}`,
  ]);
  const running = await start(file, { NP_SHUTDOWN_TIMEOUT: "20s" });
  const held = await Promise.all(ports.map((port) => hold(port ?? 0)));
  const added = await reservePort();
  const changed = [
    `renamed: ${entry(same, "")}`,
    `light: ${entry(light, ", rate: 100, slot: 7")}`,
    `heavy: ${entry(heavy, ", dial: 127.0.0.1")}`,
    `added: ${entry(added, "")}`,
  ];
  const report = await running.reload(() => {
    write(changed);
    running.child.kill("SIGHUP");
  });
  expect(report).toMatch(/ unchanged=1 inPlace=light replaced=heavy opened=added closed=gone$/);
  // Every connection goes on, those of the one that is gone and of the replaced one have their time.
  for (const say of held) expect(await say("on")).toBe("on");
  expect(await askTcp(heavy ?? 0, "new")).toBe("new");
  expect(await askTcp(added, "new")).toBe("new");
  await expect(askTcp(gone ?? 0, "new")).rejects.toThrow("ECONNREFUSED");

  // A wrong file changes nothing and says all that is wrong with it.
  write([...changed, "bad: { client: nowhere, target: 1 }", `worse: ${entry(gone, ", rate: x")}`]);
  await running.waitFor(/what runs goes on .* line=6 .* path=tunnels\.bad\.client /);
  await running.waitFor(/what runs goes on .* line=7 .* path=tunnels\.worse\.rate /);
  for (const say of held) expect(await say("still")).toBe("still");
  expect(await askTcp(light ?? 0, "still")).toBe("still");
  running.child.kill("SIGTERM");
  running.child.kill("SIGINT");
  const { stdout } = await running.ended;
  expect(stdout).not.toContain("tunnel ended");
});

it("puts a tunnel back that is taken out while it drains, TCP and UDP", async () => {
  const [echo, port] = [await startEcho(), await reservePort()];
  const file = join(temporaryFolder(), "nodepass.yaml");
  const keeper = `keeper: { client: "127.0.0.1:${await reservePort()}", target: "127.0.0.1:${echo}", mode: 1 }`;
  const web = `web: { client: "127.0.0.1:${port}", target: "127.0.0.1:${echo}", mode: 1 }`;
  const write = (...lines: string[]) => {
    writeFileSync(file, `tunnels:\n${lines.map((line) => `  ${line}\n`).join("")}`);
    running.child.kill("SIGHUP");
  };
  writeFileSync(file, `tunnels:\n  ${keeper}\n  ${web}\n`);
  const running = await start(file, { NP_SHUTDOWN_TIMEOUT: "60s" });
  const held = await hold(port);
  expect(await askUdp(port, "before")).toBe("before");
  expect(await running.reload(() => write(keeper))).toMatch(/ unchanged=1 closed=web$/);
  expect(await held("drains")).toBe("drains");
  expect(await running.reload(() => write(keeper, web))).toMatch(/ unchanged=1 opened=web$/);
  expect(await askTcp(port, "again")).toBe("again");
  expect(await askUdp(port, "again")).toBe("again");
  expect(await held("drains")).toBe("drains");
  expect(running.stdout()).not.toContain("could not be started");
  running.child.kill("SIGTERM");
  running.child.kill("SIGINT");
  await running.ended;
});

it("notices a change by rename, as editors and Kubernetes make it, and of a file with a key", async () => {
  const echo = await startEcho();
  const [tunnel, entry] = [await reservePort(), await reservePort()];
  const folder = temporaryFolder();
  const version = (name: string, lines: string, key: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "nodepass.yaml"), lines);
    writeFileSync(join(folder, name, "web.key"), key);
    symlinkSync(name, join(folder, "..new"));
    renameSync(join(folder, "..new"), join(folder, "..data"));
  };
  const lines = (rate: number) =>
    `tunnels:
  server: { server: "127.0.0.1:${tunnel}", target: "127.0.0.1:${entry}", keyFile: web.key, mode: 1, noudp: 1 }
  client: { client: "127.0.0.1:${tunnel}", target: "127.0.0.1:${echo}", keyFile: web.key, mode: 2, rate: ${rate} }
`;
  version("..1", lines(100), "first-key");
  for (const name of ["nodepass.yaml", "web.key"]) {
    symlinkSync(join("..data", name), join(folder, name));
  }
  const running = await start(join(folder, "nodepass.yaml"));
  const ask = () => askTcp(entry, "through").catch(String);
  await expect.poll(ask, { timeout: 20_000 }).toBe("through");
  expect(await running.reload(() => version("..2", lines(200), "first-key"))).toMatch(
    / unchanged=1 inPlace=client$/,
  );
  expect(await ask()).toBe("through");
  expect(await running.reload(() => version("..3", lines(200), "second-key"))).toMatch(
    / unchanged=0 replaced="server, client"$/,
  );
  await expect.poll(ask, { timeout: 20_000 }).toBe("through");
  expect(running.stdout()).not.toMatch(/first-key|second-key/);
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
});

it("runs a folder, and tries again what could not be started", async () => {
  const echo = await startEcho();
  const blocked = await startEcho();
  const port = await reservePort();
  const folder = temporaryFolder();
  const file = (name: string, at: number) =>
    writeFileSync(
      join(folder, name),
      JSON.stringify({
        tunnels: {
          [name.split(".")[0] ?? ""]: `client://127.0.0.1:${at}/127.0.0.1:${echo}?mode=1&noudp=1`,
        },
      }),
    );
  file("good.json", port);
  file("bad.json", blocked);
  const running = await start(folder);
  await running.waitFor(/could not be started or changed.* tunnel=bad/);
  expect(await askTcp(port, "good")).toBe("good");
  // Its port is not to be had: the file says another now.
  const other = await reservePort();
  file("bad.json", other);
  await expect.poll(() => askTcp(other, "now").catch(String), { timeout: 30_000 }).toBe("now");
  running.child.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ code: 0, stderr: "" });
});

it("refuses files that are wrong at the start, and ends if nothing can be started", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "nodepass.yaml");
  writeFileSync(file, "tunnels:\n  one: { client: x, target: 1, rate: -1 }\n");
  const wrong = await runCli(["run", file]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/nodepass\.yaml:2:\d+: tunnels\.one\.client/);
  const taken = await startEcho();
  writeFileSync(file, `tunnels:\n  one: "client://127.0.0.1:${taken}/127.0.0.1:1?mode=1"\n`);
  const none = await runCli(["run", file]);
  expect(none.stderr).toContain("in use");
  expect(none.code).not.toBe(0);
});
