import { readdirSync } from "node:fs";
import { reservePort } from "test-support";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { startRealMaster } from "./support/real-master.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, startEcho } from "./support/sockets.ts";

it("runs a master that makes, lists, changes and removes an instance that works", async () => {
  const { run, json, key, running } = await startRealMaster();
  const [port, echo] = [await reservePort(), await startEcho()];
  const url = `client://127.0.0.1:${port}/127.0.0.1:${echo}?mode=1`;
  expect(await json(["ls"])).toEqual([]);

  const created = await json(["create", url, "--alias", "echo", "--tag", "use=test"]);
  expect(created).toMatchObject({ alias: "echo", type: "client", url, restart: true });
  expect(created).toMatchObject({ status: "running", meta: { tags: { use: "test" } } });
  expect(await askTcp(port, "hello")).toBe("hello");
  await expect
    .poll(() => run(["ls"]), { timeout: 20_000 })
    .toMatch(/ echo +client +running +0 +0 +0 +(?:-|\d+ ms) +5 B +5 B +client:\/\/127/);

  const { id } = created as { id: string };
  expect(await run(["ls", "-q"])).toBe(`${id}\n`);
  expect(await run(["show", id.slice(0, 5)])).toMatch(/^tags +use=test$/m);

  expect(await json(["stop", "echo"])).toMatchObject([{ status: "stopped" }]);
  await expect(askTcp(port, "hello")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await json(["start", id])).toMatchObject([{ status: "running", tcprx: 5 }]);
  expect(await json(["reset", "echo"])).toMatchObject([{ status: "running", tcprx: 0 }]);
  expect(await json(["restart", "echo"])).toMatchObject([{ status: "running" }]);

  const other = await reservePort();
  const edited = await json([
    ...["edit", "echo", "--alias", "other", "--no-restart", "--untag", "use", "--tag", "a=b=c"],
    ...["--peer-sid", "s1", "--url", url.replace(String(port), String(other))],
  ]);
  expect(edited).toMatchObject({ alias: "other", restart: false, status: "running" });
  expect(edited).toMatchObject({ meta: { tags: { a: "b=c" }, peer: { sid: "s1" } } });
  expect(await askTcp(other, "hello")).toBe("hello");

  expect(await run(["rm", "other"])).toBe(`removed ${id} (other)\n`);
  expect(await json(["ls"])).toEqual([]);
  await run(["show", "other"], 3);

  running.child.kill("SIGTERM");
  const { code, stdout, stderr } = await running.ended;
  expect([code, stderr]).toEqual([0, ""]);
  // Once, where the user is told, and in no line of the log.
  expect(stdout.split(key)).toHaveLength(2);
});

it("gives a stopped master a new key without the old one", async () => {
  const { running, environment, key: lost } = await startRealMaster();
  const argv = ["key", "renew", "--local"];
  const { NP_MASTER_URL: _url, NP_API_KEY: _key, ...own } = environment;
  const locked = await runCli(argv, { environment: own });
  expect([locked.code, locked.stdout]).toEqual([1, ""]);
  expect(locked.stderr).toContain(`is held by process ${running.child.pid}`);
  const wrong = await runCli([...argv, "--master", "http://127.0.0.1:1"], { environment: own });
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  running.child.kill("SIGTERM");
  await running.ended;

  const { code, stdout, stderr } = await runCli([...argv, "--json"], { environment: own });
  expect([code, stderr]).toEqual([0, ""]);
  const { key } = JSON.parse(stdout);
  const again = startCli(["master://127.0.0.1:0"], { environment: own });
  const [, master = ""] = await again.waitFor(/^API URL: (\S+)$/m);
  const list = (which: string) =>
    runCli(["ls", "--master", master, "--key", which], { environment: own });
  expect((await list(key)).code).toBe(0);
  expect((await list(lost)).code).toBe(4);
});

it("leaves a new instance stopped if asked to", async () => {
  const { json } = await startRealMaster();
  const url = `client://127.0.0.1:${await reservePort()}/127.0.0.1:1?mode=1`;
  const created = await json(["create", url, "--no-start"]);
  expect(created).toMatchObject({ status: "stopped", restart: false });
});

it("ends with 1 if an instance cannot run, and says where to look", async () => {
  const { json, environment } = await startRealMaster();
  const url = `client://127.0.0.1:${await startEcho()}/127.0.0.1:1?mode=1`;
  const made = await runCli(["create", url, "--alias", "taken"], { environment });
  expect(made).toMatchObject({ code: 1, stdout: "" });
  expect(made.stderr).toMatch(/\(taken\) does not run: [\s\S]*nodepass logs -f \w{8}\n$/);
  expect(await json(["ls"])).toMatchObject([{ alias: "taken", status: "error" }]);
  expect(await json(["start", "taken"], 1)).toMatchObject([{ status: "error" }]);
  expect(await json(["stop", "taken"])).toMatchObject([{ status: "stopped" }]);
});

it("keeps its state over a restart, and shows the key only at the first start", async () => {
  const first = await startRealMaster();
  const url = `client://127.0.0.1:${await reservePort()}/127.0.0.1:1?mode=1`;
  await first.run(["create", url, "--alias", "kept"]);
  first.running.child.kill("SIGTERM");
  expect((await first.running.ended).code).toBe(0);
  expect(readdirSync(first.environment.NP_STATE_DIR ?? "")).toContain("nodepass.msgpack");

  const { environment } = first;
  const second = startCli(["master://127.0.0.1:0"], { environment });
  const [, master = ""] = await second.waitFor(/^API URL: (\S+)$/m);
  const list = () => runCli(["ls", "--master", master, "--key", first.key], { environment });
  // The master answers before its instances run.
  await expect
    .poll(async () => (await list()).stdout, { timeout: 20_000 })
    .toMatch(/ kept +client +running /);
  expect(second.stdout()).not.toContain("API KEY");

  const third = await runCli(["master://127.0.0.1:0"], { environment });
  expect(third).toMatchObject({ code: 1, stdout: "" });
  expect(third.stderr).toMatch(new RegExp(`^nodepass: .*\\b${second.child.pid}\\b.*\\n$`));
});

it("does not list its key, and says which one is meant of several", async () => {
  const { run, json, key, environment } = await startRealMaster();
  for (const alias of ["twin", "twin"]) {
    await run([
      "create",
      `client://127.0.0.1:${await reservePort()}/127.0.0.1:1?mode=1`,
      "--alias",
      alias,
    ]);
  }
  for (const argv of [["ls"], ["ls", "--json"], ["info", "--json"], ["top", "--json"]]) {
    expect(await run(argv)).not.toContain(key);
  }
  const { code, stderr } = await runCli(["stop", "twin"], { environment });
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^nodepass: "twin" may be 2 instances\n {2}\w{8} \(twin\)\n {2}\w{8} \(twin\)\n$/,
  );
  expect(await json(["ls"])).toMatchObject([{ status: "running" }, { status: "running" }]);
});

it("tells about the master, and lets it connect somewhere", async () => {
  const { run, json } = await startRealMaster();
  const [open, closed] = [await startEcho(), await reservePort()];
  expect(await json(["info"])).toMatchObject({ ver: "1.14.0", tls: "0" });
  expect(await run(["info"])).toMatch(/^API +1\.14\.0$/m);
  expect(await run(["tcping", `127.0.0.1:${open}`])).toMatch(/ connected in \d+ ms\n$/);
  expect(await json(["tcping", `127.0.0.1:${closed}`], 1)).toMatchObject({ connected: false });
  await run(["tcping", "nonsense"], 2);
});

it("follows logs and events, and ends with the signal or the key", async () => {
  const { run, environment } = await startRealMaster();
  const logs = startCli(["logs", "-f"], { environment });
  const events = startCli(["events", "--json", "--type", "create", "--type", "delete"], {
    environment,
  });
  const follower = startCli(["events"], { environment });
  const url = `client://hunter2@127.0.0.1:${await reservePort()}/127.0.0.1:1?mode=1`;
  // What it says first is what was there: it is connected then.
  await run(["create", url, "--alias", "early"]);
  await follower.waitFor(/(?:initial|create) +\w{8} {2}early {2}running/);
  await expect
    .poll(
      async () => {
        await run(["restart", "early"]);
        return logs.stdout();
      },
      { timeout: 20_000 },
    )
    .toMatch(/^early {2}20.*INFO/m);
  await run(["rm", "early"]);
  await events.waitFor(/"type":"delete"/);
  const lines = events.stdout().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).type).at(-1)).toBe("delete");
  expect(events.stdout()).not.toContain("hunter2");

  logs.child.kill("SIGINT");
  events.child.kill("SIGTERM");
  expect([(await logs.ended).code, (await events.ended).code]).toEqual([0, 0]);

  const renewed = (await run(["key", "renew"])).trim();
  const { code, stdout, stderr } = await follower.ended;
  expect(code).toBe(4);
  expect(stdout).toContain("  shutdown");
  expect(stderr).toMatch(/\(401\)\n$/);
  expect(stderr).not.toContain(environment.NP_API_KEY);
  await run(["ls"], 4);
  await run(["ls", "--key", renewed]);
});

it("shows a snapshot of rates where there is no terminal", async () => {
  const { run, json } = await startRealMaster();
  const [port, echo] = [await reservePort(), await startEcho()];
  await run(["create", `client://127.0.0.1:${port}/127.0.0.1:${echo}?mode=1`, "--alias", "echo"]);
  const flow = setInterval(() => void askTcp(port, "x".repeat(10_000)).catch(() => undefined), 50);
  try {
    expect(await json(["top", "--interval", "1"])).toMatchObject({
      sums: { instances: 1, running: 1 },
      instances: [{ alias: "echo", receivedPerSecond: expect.any(Number) }],
    });
    expect(await run(["top", "--interval", "1"])).toMatch(
      /^nodepass top .* snapshot\n1 instance: 1 running.*\n\nINSTANCE .*\necho +client +running +[\d.]+ kB\/s /,
    );
  } finally {
    clearInterval(flow);
  }
});

it("asks whether to trust a certificate that nobody vouches for", async () => {
  const { url, key, environment } = await startRealMaster("?tls=1");
  expect(url).toMatch(/^https:/);
  const refused = await runCli(["ls"], { environment });
  expect(refused).toMatchObject({ code: 5, stdout: "" });
  expect(refused.stderr).toMatch(/certificate is not trusted \(.*SELF_SIGNED/);
  expect(refused.stderr).not.toContain(key);
  const [, fingerprint = ""] = /SHA-256: (\S+)/.exec(refused.stderr) ?? [];

  expect(await runCli(["ls", "--insecure"], { environment })).toMatchObject({ code: 0 });
  expect(await runCli(["ls", "--pin", fingerprint], { environment })).toMatchObject({ code: 0 });
  const wrong = await runCli(["ls", "--pin", "0".repeat(64)], { environment });
  expect(wrong).toMatchObject({ code: 5, stderr: expect.stringContaining("not the pinned one") });

  const plain = { ...environment, NP_MASTER_URL: url.replace("https:", "http:") };
  const mistaken = await runCli(["ls"], { environment: plain });
  expect(mistaken.code).toBe(5);
  expect(mistaken.stderr).toContain("https://");
});

it("prints a new key in a container only where it is asked to", async () => {
  const start = (variables: Record<string, string | undefined>) =>
    startCli(["master://127.0.0.1:0"], {
      environment: { NP_STATE_DIR: temporaryFolder(), NP_WORKERS: "0", ...variables },
    });
  const hidden = start({ container: "podman", NP_SHOW_KEY: undefined, NODEPASS_COMMAND: "np" });
  await hidden.waitFor(/^The API key is not shown here: .*; np key renew --local makes another$/m);
  expect(hidden.stdout()).not.toMatch(/^API KEY/m);
  await start({ container: "podman", NP_SHOW_KEY: "1" }).waitFor(/^API KEY: \w+$/m);
});
