import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { runCommand, startCommand, temporaryFolder } from "./support/run-master.ts";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.14.1";
const KEY = "a-key-of-the-file-00";

async function startEcho(): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function hold(port: number): Promise<(text: string) => Promise<string>> {
  const socket = connect(port, HOST);
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

it("runs a mounted folder: a master with its instances, reloaded, marked, and 409 for their URLs", async () => {
  const echo = await startEcho();
  const folder = temporaryFolder();
  const state = join(folder, "state");
  const mounted = join(folder, "config");
  mkdirSync(mounted);
  const file = join(mounted, "nodepass.yaml");
  const write = (web: string, more = "") =>
    writeFileSync(
      file,
      `master: { url: "master://${HOST}:7101/api", key: "${KEY}" }
tunnels:
  web: { client: "${HOST}:7102", target: "${HOST}:${echo}", mode: 1, noudp: 1${web} }
${more}`,
    );
  write("", `  old: "client://${HOST}:7103/${HOST}:${echo}?mode=1&noudp=1"\n`);
  const environment = { NP_STATE_DIR: state, NP_WORKERS: "1" };
  const master = startCommand({ argv: ["--config", mounted], environment });
  await master.waitFor(/API URL: http:\/\/127\.31\.14\.1:7101\/api\n/);
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`http://${HOST}:7101/api/v1${path}`, {
      method,
      headers: { "X-API-Key": KEY, "Content-Type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const instances = async () =>
    (await ask("GET", "/instances")).body.filter(({ type }: { type: string }) => type !== "");
  await expect.poll(instances, { timeout: 20_000 }).toMatchObject([
    { alias: "web", status: "running", origin: { file, name: "web" } },
    { alias: "old", status: "running", origin: { file, name: "old" } },
  ]);
  const made = await ask("POST", "/instances", {
    url: `client://${HOST}:7104/${HOST}:${echo}?mode=1&noudp=1`,
  });
  expect([made.status, "origin" in made.body]).toEqual([201, false]);

  const [{ id, url }] = await instances();
  const say = await hold(7102);
  const refused = await ask("PUT", `/instances/${id}`, { url: `${url}&slot=3` });
  expect(refused.status).toBe(409);
  expect(JSON.stringify(refused.body)).toContain(file);
  // What the file says changes while connections go on; what it has no more is gone, others stay.
  write(", rate: 100");
  await expect
    .poll(async () => (await instances()).map(({ alias }: { alias: string }) => alias), {
      timeout: 20_000,
    })
    .toEqual(["web", ""]);
  await expect
    .poll(async () => (await instances())[0].url, { timeout: 20_000 })
    .toContain("rate=100");
  expect(await say("still")).toBe("still");
  write(", rate: 100, dial: 127.31.14.1");
  master.child.kill("SIGHUP");
  await expect
    .poll(async () => (await instances())[0].url, { timeout: 20_000 })
    .toContain("dial=127.31.14.1");
  expect(await say("drains")).toBe("drains");

  // Wrong files change nothing.
  write(", rate: x");
  await master.waitFor(/what runs goes on .*path=tunnels\.web\.rate/);
  expect((await ask("GET", "/instances")).body).toHaveLength(3);
  for (const action of ["stop", "start", "restart", "reset"]) {
    expect((await ask("PATCH", `/instances/${id}`, { action })).status).toBe(200);
  }
  // What somebody stopped stays stopped over a reload that says nothing new of it.
  await ask("PATCH", `/instances/${id}`, { action: "stop" });
  write(
    ", rate: 100, dial: 127.31.14.1",
    `  new: "client://${HOST}:7103/${HOST}:${echo}?mode=1&noudp=1"\n`,
  );
  await expect.poll(async () => (await instances()).length, { timeout: 20_000 }).toBe(3);
  expect((await instances())[0]).toMatchObject({ alias: "web", status: "stopped" });
  master.child.kill("SIGTERM");
  expect(await master.ended).toMatchObject({ code: 0, stderr: "" });

  // The same ids again after a restart, and nothing twice. As a container: by a variable, beside
  // the one that the image sets, and found by its health check.
  const inContainer = { NP_CONFIG: mounted, NP_MASTER_URL: `master://${HOST}:7199` };
  const again = startCommand({ environment: { ...environment, ...inContainer } });
  await again.waitFor(/API URL: /);
  await expect
    .poll(instances, { timeout: 20_000 })
    .toMatchObject([
      { id, alias: "web", status: "running", origin: { name: "web" } },
      { alias: "" },
      { alias: "new", status: "running" },
    ]);
  const entry = fileURLToPath(new URL("../dist/healthcheck.js", import.meta.url));
  expect(await runCommand({ entry, environment: inContainer })).toMatchObject({
    code: 0,
    stderr: "",
  });
  again.child.kill("SIGTERM");
  expect((await again.ended).code).toBe(0);
});

it("refuses wrong files at the start, with all faults", async () => {
  const file = join(temporaryFolder(), "nodepass.yaml");
  writeFileSync(
    file,
    "tunnels:\n  one: { client: x, target: 1 }\n  two: { server: y, target: 2 }\n",
  );
  const { code, stderr } = await startCommand({ argv: ["--config", file] }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/nodepass\.yaml:2:\d+: tunnels\.one\.client/);
  expect(stderr).toMatch(/nodepass\.yaml:3:\d+: tunnels\.two\.server/);
});
