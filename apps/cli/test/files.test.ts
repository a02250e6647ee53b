import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { startRealMaster } from "./support/real-master.ts";
import { runCli, startCli } from "./support/run-cli.ts";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.8.1";

it("makes a master what a file says, once, and prunes only what it brought", async () => {
  const { run, json } = await startRealMaster();
  const file = join(temporaryFolder(), "edge.yaml");
  writeFileSync(
    file,
    `tunnels:
  one: { server: "${HOST}:5101", target: "${HOST}:5102", key: secret, mode: 1, tags: { tier: gold } }
  two: "client://${HOST}:5103/${HOST}:5104?mode=1"
  off: { client: "${HOST}:5105", target: "${HOST}:5106", mode: 1, start: false }
`,
  );
  await run(["create", `client://${HOST}:5107/${HOST}:5108?mode=1`, "--alias", "by hand"]);
  // Says what it would do, without a key, and does nothing.
  const planned = await run(["diff", "-f", file], 6);
  expect(planned).toBe(
    `create one  server://***@${HOST}:5101/${HOST}:5102?mode=1\n` +
      `create two  client://${HOST}:5103/${HOST}:5104?mode=1\n` +
      `create off  client://${HOST}:5105/${HOST}:5106?mode=1\n`,
  );
  expect(await run(["apply", "-f", file, "--dry-run"], 6)).toBe(planned);
  expect(await json(["ls"])).toHaveLength(1);

  expect(await run(["apply", "-f", file])).toMatch(/^create one .*: done\n.*\n.*: done\n$/);
  expect(await json(["ls"])).toMatchObject([
    { alias: "by hand" },
    { alias: "one", meta: { tags: { tier: "gold", "nodepass.owner": "edge" } } },
    { alias: "two", status: "running" },
    { alias: "off", status: "stopped", restart: false },
  ]);
  expect(await run(["apply", "-f", file])).toBe("nothing to do\n");
  expect(await run(["diff", "-f", file])).toBe("nothing differs\n");

  writeFileSync(file, `tunnels:\n  two: "client://${HOST}:5103/${HOST}:5104?mode=1&rate=5"\n`);
  expect(await json(["diff", "-f", file, "--prune"], 6)).toMatchObject([
    { kind: "remove", name: "one" },
    { kind: "remove", name: "off" },
    { kind: "change", name: "two", changes: ["url"] },
  ]);
  await run(["apply", "-f", file, "--prune"]);
  expect(await json(["ls"])).toMatchObject([
    { alias: "by hand" },
    { alias: "two", url: `client://${HOST}:5103/${HOST}:5104?mode=1&rate=5` },
  ]);
});

it("says all faults of a file with their places, and asks no master", async () => {
  const file = join(temporaryFolder(), "bad.yaml");
  writeFileSync(file, "tunnels:\n  a: { server: ':1', target: ':2', rate: fast }\n  b: 'x'\n");
  const { code, stdout, stderr } = await runCli(["apply", "-f", file]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`${file}:2:36: tunnels.a.rate: rate "fast" is not valid`);
  expect(stderr).toContain(`${file}:3:3: tunnels.b: `);
});

it("exports what it can apply again, readable by the owner only", async () => {
  const { run, json } = await startRealMaster();
  const url = `client://${HOST}:5111/${HOST}:5112?mode=1`;
  await run(["create", url, "--alias", "first", "--tag", "a=b"]);
  await run(["create", `server://secret@${HOST}:5113/${HOST}:5114?mode=1`]);
  const file = join(temporaryFolder(), "out.yaml");
  await run(["export", "--to", file]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toContain("server://secret@");
  await run(["export", "--to", file], 1);
  expect((await run(["export", "--to-url-list"])).split("\n")).toEqual([
    url,
    `server://secret@${HOST}:5113/${HOST}:5114?mode=1`,
    "",
  ]);
  const other = await startRealMaster();
  await run(["stop", "first"]);
  const { id } = ((await json(["ls"])) as { id: string; alias: string }[]).find(
    ({ alias }) => alias === "",
  ) ?? { id: "" };
  await run(["stop", id]);
  await other.run(["apply", "-f", file]);
  // In any order: an id may be all digits, and such names come first of a map.
  const made = (await other.json(["ls"])) as { alias: string }[];
  expect(made).toHaveLength(2);
  expect(made.find(({ alias }) => alias === "first")).toMatchObject({
    url,
    status: "running",
    meta: { tags: { a: "b" } },
  });
  expect(made.find(({ alias }) => alias === id)).toMatchObject({ type: "server" });
});

it("says whose the instance is that has a name already", async () => {
  const { run } = await startRealMaster();
  const folder = temporaryFolder();
  const [edge, out] = [join(folder, "edge.yaml"), join(folder, "out.yaml")];
  writeFileSync(edge, `tunnels:\n  one: "client://${HOST}:5121/${HOST}:5122?mode=1"\n`);
  await run(["apply", "-f", edge]);
  await run(["create", `client://${HOST}:5123/${HOST}:5124?mode=1`, "--alias", "hand"]);
  await run(["export", "--to", out]);
  const [one = "", hand = ""] = (await run(["diff", "-f", out], 6)).split("\n");
  expect(one).toMatch(/^conflict one .* the files of the owner edge brought .*--owner 'edge'/);
  expect(one).not.toContain("--adopt");
  expect(hand).toMatch(/^conflict hand .* no file brought .*--adopt/);
  // What it says can be done.
  expect(await run(["diff", "-f", out, "--owner", "edge", "--adopt"], 6)).not.toContain("conflict");
});

const fixture = fileURLToPath(
  new URL("../../../packages/go-state/test/fixtures/nodepass-1.14.gob", import.meta.url),
);

it("begins with the state of the Go program: named, or found in the working folder", async () => {
  const environment = { NP_STATE_DIR: temporaryFolder(), NP_WORKERS: "1" };
  const imported = await runCli(["import", fixture], { environment });
  expect([imported.code, imported.stdout]).toEqual([
    0,
    expect.stringMatching(/^3 instances are in /),
  ]);
  const again = await runCli(["import", fixture], { environment });
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("has a state already")]);

  const yaml = join(temporaryFolder(), "out.yaml");
  writeFileSync(yaml, "tunnels: {}\n");
  const refused = await runCli(["import", yaml], { environment });
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/out\.yaml is no nodepass\.gob.*\n.*nodepass apply -f <file>/),
  ]);
  const text = join(temporaryFolder(), "notes.txt");
  writeFileSync(text, "tunnels: {}\n");
  const other = { ...environment, NP_STATE_DIR: temporaryFolder() };
  const broken = await runCli(["import", text], { environment: other });
  expect([broken.code, broken.stderr]).toEqual([
    1,
    expect.stringMatching(/notes\.txt can't be taken over, it is no whole nodepass\.gob: /),
  ]);

  const folder = temporaryFolder();
  mkdirSync(join(folder, "gob"));
  writeFileSync(join(folder, "gob", "nodepass.gob"), readFileSync(fixture));
  const own = { ...environment, NP_STATE_DIR: temporaryFolder() };
  const master = startCli(["master://127.0.0.1:0"], { environment: own, cwd: folder });
  await master.waitFor(/state of the Go program taken over/);
  const [, url = ""] = await master.waitFor(/^API URL: (\S+)$/m);
  // The key that the file holds; it is printed nowhere.
  const key = "294b396769d41963462fa3aba3ce77fe";
  const list = await runCli(["ls", "--master", url, "--json"], {
    environment: { ...own, NP_API_KEY: key },
  });
  expect(JSON.parse(list.stdout)).toHaveLength(3);
  expect(master.stdout()).not.toContain(key);
});

it("begins with what a running master's API tells", async () => {
  const answers = readFileSync(fixture.replace(".gob", ".json"), "utf8");
  const key = "294b396769d41963462fa3aba3ce77fe";
  const old = createServer((request, response) => {
    const allowed = request.headers["x-api-key"] === key;
    response.writeHead(allowed ? 200 : 401, { "content-type": "application/json" });
    const info = { mid: "d0ef07835c96d2cd", alias: "old", ver: "1.14.0" };
    response.end(request.url?.endsWith("/info") === true ? JSON.stringify(info) : answers);
  });
  await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void old.close());
  const address = old.address();
  const port = typeof address === "object" ? address?.port : 0;
  const environment = { NP_STATE_DIR: temporaryFolder(), NP_WORKERS: "1" };
  const from = ["import", "--from", `http://127.0.0.1:${port}/api`];
  expect((await runCli([...from, "--key", "wrong"], { environment })).code).toBe(4);
  const { code, stderr } = await runCli([...from, "--key", key, "--json"], { environment });
  expect([code, stderr]).toEqual([0, ""]);
  const master = startCli(["master://127.0.0.1:0"], { environment });
  const [, url = ""] = await master.waitFor(/^API URL: (\S+)$/m);
  const asked = { ...environment, NP_API_KEY: key };
  const info = await runCli(["info", "--master", url, "--json"], { environment: asked });
  expect(JSON.parse(info.stdout)).toMatchObject({ mid: "d0ef07835c96d2cd", alias: "old" });
  const list = await runCli(["ls", "--master", url, "--json"], { environment: asked });
  expect(JSON.parse(list.stdout)).toContainEqual(
    expect.objectContaining({ id: "4321b7ac", alias: "web server", tcprx: 234, tcptx: 1416 }),
  );
});

it("checks a file: what it means, without its keys, or all that is wrong", async () => {
  const file = join(temporaryFolder(), "nodepass.yaml");
  writeFileSync(file, "tunnels:\n  web: { server: ':1', target: ':2', key: 'very secret' }\n");
  const good = await runCli(["check", file]);
  expect([good.code, good.stderr]).toEqual([0, ""]);
  expect(good.stdout).toMatch(
    /^web {2}server:\/\/\*\*\*@:1\/:2 {2}.*nodepass\.yaml:2\n {2}A tunnel server/,
  );
  expect(good.stdout).not.toContain("very secret");
  writeFileSync(file, "tunnels:\n  web: { server: ':1' }\n");
  const bad = await runCli(["check", file]);
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain("nodepass.yaml:2:3: tunnels.web.target: is missing");
});
