import { expect, it, vi } from "vitest";
import { fakeInstance, fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";

const variables = (master: string, key = fakeKey) => ({
  NP_MASTER_URL: master,
  NP_API_KEY: key,
  XDG_CONFIG_HOME: temporaryFolder(),
});

it.each([
  ["/api/v1", "", ["GET /api/v1/instances"]],
  ["/api/v1", "/api", ["GET /api/v1/instances"]],
  ["/api/v1", "/api/v1", ["GET /api/v1/instances"]],
  ["/api", "", ["GET /api/v1/instances", "GET /api/instances"]],
  ["/admin", "/admin/", ["GET /admin/v1/instances", "GET /admin/instances"]],
])("finds an API under %s from a URL that ends in %j", async (basePath, path, requests) => {
  const master = await startFakeMaster({ basePath });
  master.instances.set("a1b2c3d4", fakeInstance());
  const { code, stdout } = await runCli(["ls"], { environment: variables(`${master.url}${path}`) });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /\na1b2c3d4 {2}web {4}server {2}running {4}3 {4}1 {5}8 {2}7 ms {2}1\.50 MB {2}2\.00 kB {2}server:\/\/\*{3}@127/,
  );
  expect(master.requests).toEqual(requests);
});

it("says where it looked if there is no API", async () => {
  const master = await startFakeMaster({ basePath: "/elsewhere" });
  const { code, stderr } = await runCli(["info"], { environment: variables(master.url) });
  expect(code).toBe(5);
  expect(stderr).toContain("no NodePass API under /api/v1 nor /api");
});

it("says what a master says that wants another key, and not the key", async () => {
  const master = await startFakeMaster();
  for (const argv of [["ls"], ["events"], ["top"], ["logs", "-f"]]) {
    const result = await runCli(argv, { environment: variables(master.url, "hunter2") });
    expect(result).toMatchObject({ code: 4, stdout: "" });
    expect(result.stderr).toMatch(/refuses: Unauthorized: Invalid API key \(401\)\n$/);
    expect(result.stderr).not.toContain("hunter2");
  }
});

it("waits for the state that NodePass 1.14 does not answer with", async () => {
  const master = await startFakeMaster({ looksUntilStopped: 3 });
  master.instances.set("a1b2c3d4", fakeInstance());
  const { code, stdout } = await runCli(["stop", "web"], { environment: variables(master.url) });
  expect(code).toBe(0);
  expect(stdout).toMatch(/ web +server +stopped /);
  expect(master.requests.filter((each) => each === "GET /api/v1/instances/a1b2c3d4").length).toBe(
    3,
  );
});

it("does not take an error from before a start for one after it", async () => {
  const master = await startFakeMaster({ looksUntilStopped: 0 });
  master.instances.set("a1b2c3d4", fakeInstance({ status: "error" }));
  const { code, stdout } = await runCli(["start", "web"], { environment: variables(master.url) });
  expect(code).toBe(0);
  expect(stdout).toMatch(/ web +server +running /);
});

it("names a new instance at masters that take no alias with the URL", async () => {
  const master = await startFakeMaster({ isOld: true });
  const environment = variables(master.url);
  const made = await runCli(["create", "server://:1/:2", "--alias", "name"], { environment });
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^alias +name$/m) });
  const tagged = await runCli(["edit", "name", "--tag", "a=b"], { environment });
  expect(tagged).toMatchObject({ code: 1 });
  expect(tagged.stderr).toContain("the master left 00c0ffee (name) as it was: tags");
});

it("does what it can of several, and ends with the first failure's code", async () => {
  const master = await startFakeMaster();
  master.instances.set("a1b2c3d4", fakeInstance({ alias: "one" }));
  master.instances.set("b1b2c3d4", fakeInstance({ id: "b1b2c3d4", alias: "two", status: "error" }));
  const environment = variables(master.url);
  const unknown = await runCli(["rm", "one", "nobody"], { environment });
  // A name that means nothing keeps no other from being dealt with; the code tells of it.
  expect(unknown).toMatchObject({ code: 3, stdout: "removed a1b2c3d4 (one)\n" });
  expect([...master.instances.keys()]).toEqual(["b1b2c3d4"]);
  master.instances.set("a1b2c3d4", fakeInstance({ alias: "one" }));
  const removed = await runCli(["rm", "one", "two", "a1"], { environment });
  expect(removed).toMatchObject({ code: 0, stderr: "" });
  expect(removed.stdout).toBe("removed a1b2c3d4 (one)\nremoved b1b2c3d4 (two)\n");
});

it("makes nothing of a terminal of what a master sends", async () => {
  const master = await startFakeMaster();
  const evil = "a\x1b]0;owned\x07\x1b[2Jb\r\n";
  const instance = fakeInstance({ alias: evil, url: `server://k@h:1/${evil}`, status: evil });
  master.instances.set("a1b2c3d4", instance);
  const environment = { ...variables(master.url), FORCE_COLOR: "1" };
  const controls = (text: string) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what may stay
    text.replace(/\x1b\[[0-9;]*m/g, "").match(/[^\P{Cc}\n]/gu);
  for (const argv of [["ls"], ["show", "a1"], ["info"], ["top", "--interval", "0.2"]]) {
    const { code, stdout } = await runCli(argv, { environment });
    expect([code, controls(stdout)]).toEqual([0, null]);
  }
  const logs = startCli(["logs", "-f"], { environment });
  await vi.waitFor(() => expect(master.streams()).toBe(1), { timeout: 20_000 });
  master.emit({ type: "log", instance, logs: `10:00 \x1b[32mINFO\x1b[0m ${evil}` });
  await logs.waitFor(/\[32mINFO.* a/);
  expect(controls(logs.stdout())).toBeNull();
});

it("follows on when a stream breaks, and says so", async () => {
  const master = await startFakeMaster();
  const instance = fakeInstance();
  master.instances.set("a1b2c3d4", instance);
  const follower = startCli(["logs", "web", "--json"], { environment: variables(master.url) });
  for (const line of ["first", "second"]) {
    await vi.waitFor(() => expect(master.streams()).toBe(1), { timeout: 20_000 });
    master.emit({ type: "log", instance: fakeInstance({ id: "ffffffff" }), logs: "not wanted" });
    master.emit({ type: "log", instance, logs: line });
    await follower.waitFor(new RegExp(line));
    master.endStreams();
    await vi.waitFor(() => expect(follower.stderr()).toContain("trying again"), {
      timeout: 20_000,
    });
  }
  follower.child.kill("SIGTERM");
  const { code, stdout, stderr } = await follower.ended;
  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(
    ["first", "second"].map((line) => ({
      time: "2026-01-02T03:04:05Z",
      id: "a1b2c3d4",
      alias: "web",
      line,
    })),
  );
  expect(stderr).toMatch(
    /^nodepass: the stream ended; trying again\nnodepass: connected again to /,
  );
});

it("ends quietly with the reader of its output", async () => {
  const master = await startFakeMaster();
  master.instances.set("a1b2c3d4", fakeInstance());
  const { child, ended, stderr } = startCli(["events"], { environment: variables(master.url) });
  child.stdout.once("data", () => child.stdout.destroy());
  const repeat = setInterval(() => master.emit({ type: "update", instance: fakeInstance() }), 50);
  try {
    expect((await ended).code).toBe(0);
  } finally {
    clearInterval(repeat);
  }
  expect(stderr()).toBe("");
});

it("gives up on a master that does not answer", async () => {
  const { createServer } = await import("node:net");
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const argv = ["ls", "--timeout", "0.3"];
    const environment = variables(`http://127.0.0.1:${port}`);
    const { code, stderr } = await runCli(argv, { environment });
    expect(code).toBe(5);
    expect(stderr).toContain("time-out after 300 ms");
  } finally {
    silent.close();
  }
});
