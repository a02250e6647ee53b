import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type FakeHub, fakeToken, startFakeHub } from "./support/fake-hub.ts";
import { fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { type RunOptions, runCli, startCli } from "./support/run-cli.ts";

const fleet = (hub: FakeHub, ...argv: string[]) =>
  runCli(["fleet", ...argv], { environment: hub.environment });

it("logs in at a hub as at a master, and lists its masters", async () => {
  const hub = await startFakeHub();
  const options: RunOptions = { environment: { XDG_CONFIG_HOME: temporaryFolder() } };
  const login = ["login", "prod", "--master", hub.url];
  expect(await runCli([...login, "--key", "wrong"], options)).toMatchObject({ code: 4 });
  expect(await runCli([...login, "--key", fakeToken], options)).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await runCli(["fleet", "ls"], options);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /^NAME +MID +LABELS +VERSION +STATUS +INSTANCES +TRAFFIC +LAST WORD\nedge +00000000000000e1 +region=eu fast +0\.1\.0 +online +2 of 3 +1\.50 MB +\ds ago\nhome .* lost .* never\n$/,
  );
  // By the name of the profile, before the command or behind it.
  await runCli(["profile", "rm", "prod"], options);
  await runCli([...login, "--key", fakeToken], options);
  await runCli(
    ["login", "other", "--master", "http://127.0.0.1:1", "--key", "k", "--no-check"],
    options,
  );
  for (const argv of [
    ["-m", "prod", "fleet", "ls", "-q"],
    ["fleet", "ls", "-q", "--master=prod"],
  ]) {
    expect(await runCli(argv, options)).toMatchObject({
      code: 0,
      stdout: "00000000000000e1\n00000000000000b0\n",
    });
  }
});

it("asks any master of a fleet through its hub, by mid without a look-up, and by name", async () => {
  const hub = await startFakeHub();
  const { url, requests } = hub;
  const run = (...argv: string[]) => runCli(argv, { environment: { NP_API_KEY: fakeToken } });
  const by = await run("-m", `00000000000000e1@${url}`, "ls");
  expect(by).toMatchObject({ code: 0, stderr: "" });
  expect(by.stdout).toContain("through-the-hub");
  expect(requests.map(({ line }) => line)).toEqual([
    "GET /api/masters/00000000000000e1/api/v1/instances",
  ]);
  expect((await run("ls", "-m", `edge@${url}`)).stdout).toContain("through-the-hub");
  const unknown = await run("-m", `edgy@${url}`, "ls");
  expect(unknown).toMatchObject({ code: 3, stdout: "" });
  expect(unknown.stderr).toMatch(/^nodepass: no master "edgy"\n/);
  const renew = await run("-m", `edge@${url}`, "key", "renew");
  expect(renew).toMatchObject({ code: 2, stdout: "" });
  expect((await run("-m", `edge@${url}`, "fleet", "ls")).stderr).toContain("no MASTER@");
});

it("calls a master of a fleet as it was called, and says which kind of API answers", async () => {
  const hub = await startFakeHub();
  const { url } = await startFakeMaster();
  const run = (...argv: string[]) =>
    runCli(argv, { environment: { XDG_CONFIG_HOME: folder, NP_API_KEY: variable } });
  const folder = temporaryFolder();
  let variable: string | undefined;
  await run("login", "edge", "--master", url, "--key", fakeKey);
  await run("login", "prod", "--master", hub.url, "--key", fakeToken);

  const empty = await run("-m", "edge@prod", "ls", "--tag", "none=here");
  expect(empty).toMatchObject({ code: 0, stdout: "" });
  expect(empty.stderr).toMatch(/ at edge@prod\n.* nodepass -m edge@prod create /);
  expect((await run("-m", "edge@prod", "info")).stdout).toMatch(/^master +edge@prod\n/);
  expect(await run("-m", "prod", "ls")).toMatchObject({
    code: 3,
    stderr: "nodepass: this is the hub of the fleet prod: name a master, -m MASTER@prod\n",
  });
  expect(await run("-m", "edge", "fleet", "ls")).toMatchObject({
    code: 3,
    stderr: `nodepass: this is a master, not a fleet's hub: ${url}\n`,
  });
  expect(await run("-m", "edge@nofleet", "ls")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^nodepass: no profile "nofleet"\n {2}saved: edge, prod\n/),
  });
  variable = "another";
  expect(await run("fleet", "ls", "-q")).toMatchObject({
    code: 0,
    stderr: "nodepass: NP_API_KEY is not used: the key of the profile prod is\n",
  });
});

it("makes a pair in one line", async () => {
  const hub = await startFakeHub();
  const made = await fleet(
    hub,
    ...["pair", "--server", "edge", "--client", "region=eu", "--alias", "web"],
    ...["--target", "127.0.0.1:80", "--entry", ":8080", "--failover", "serve", "--ttl", "20"],
  );
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(/^sid +00aa0000\nalias +web\nfailover +serve 20s\n/);
  expect(hub.requests.find(({ line }) => line.startsWith("POST"))?.body).toEqual({
    alias: "web",
    policy: { failover: "serve", ttl: 20, failback: "never" },
    parts: [
      { role: "server", url: "server://:auto/:8080?mode=1&tls=1", running: true, master: "edge" },
      {
        ...{ role: "client", url: "client://auto/127.0.0.1:80?mode=2", running: true },
        selector: "region=eu",
      },
    ],
  });
  const list = await fleet(hub, "ls", "services");
  expect(list.stdout).toMatch(
    /^ALIAS +SID +SERVER +CLIENT +FAILOVER +CHANGED\nweb +00aa0000 +edge runs +edge runs +serve 20s /,
  );
});

it("makes, moves, stops, shows and removes services, keys hidden", async () => {
  const hub = await startFakeHub();
  const url = "server://hunter2@:10101/127.0.0.1:80?mode=1";
  const made = await fleet(hub, "create", url, "--on", "edge", "--alias", "web", "--tag", "a=b");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).not.toContain("hunter2");
  expect((await fleet(hub, "show", "web", "--show-key")).stdout).toContain("hunter2");
  expect((await fleet(hub, "show", "web", "--json")).stdout).not.toContain("hunter2");
  expect((await fleet(hub, "create", url, "--on", "a", "--on", "b")).code).toBe(2);

  const moved = await fleet(hub, "move", "web", "--to", "home", "--json");
  expect(JSON.parse(moved.stdout)).toMatchObject({ parts: [{ owner: "00000000000000b0" }] });
  expect(hub.requests.at(-1)).toEqual({
    line: "POST /api/v1/fleet/services/00aa0000/move",
    body: { to: "home" },
  });
  expect((await fleet(hub, "move", "web", "--to", "tier=a,!busy", "--force")).code).toBe(0);
  expect(hub.requests.find(({ body }) => JSON.stringify(body)?.includes("busy"))?.body).toEqual({
    selector: "tier=a,!busy",
    force: true,
  });

  expect((await fleet(hub, "stop", "web", "none")).code).toBe(3);
  expect(hub.services[0]?.parts[0]?.running).toBe(false);
  expect((await fleet(hub, "start", "web")).stdout).toBe("started 00aa0000 (web)\n");
  expect((await fleet(hub, "failover", "set", "web", "strict", "--failback")).code).toBe(0);
  expect(hub.services[0]?.policy).toEqual({ failover: "strict", ttl: 15, failback: "healthy" });
  expect((await fleet(hub, "failover", "resume")).stdout).toBe("failover goes on\n");
  expect((await fleet(hub, "failover", "resume")).stdout).toMatch(/was not held: no alarm/);

  const slip = await fleet(hub, "rm", "web", "nosuch");
  expect(slip).toMatchObject({ code: 3, stdout: "" });
  expect(slip.stderr).toMatch(/no master and no service "nosuch"[\s\S]*nothing was removed\n$/);
  expect(hub.services.map(({ alias }) => alias)).toEqual(["web"]);
  expect((await fleet(hub, "rm", "web", "--keep")).stdout).toBe("removed 00aa0000 (web)\n");
  expect(hub.requests.at(-1)?.line).toBe("DELETE /api/v1/fleet/services/00aa0000?keep=true");
  expect((await fleet(hub, "rm", "home", "--stop")).stdout).toContain("removed 00000000000000b0");
  expect(hub.requests.at(-1)?.line).toBe("DELETE /api/v1/fleet/masters/00000000000000b0?stop=true");
  expect(await fleet(hub, "rm", "home")).toMatchObject({ code: 3, stdout: "" });
  await fleet(hub, "create", url, "--on", "edge", "--alias", "db");
  expect((await fleet(hub, "rm", "edge")).stderr).toMatch(
    /^the server of \w+ \(db\) stays there, as its own\n$/,
  );
});

it("makes a service of what a master runs by itself", async () => {
  const hub = await startFakeHub();
  const adopted = await fleet(hub, "adopt", "edge", "through-the-hub");
  expect(adopted).toMatchObject({ code: 0, stdout: "adopted 00aa0000\n", stderr: "" });
  expect(hub.requests.at(-1)).toEqual({
    line: "POST /api/v1/fleet/masters/00000000000000e1/adopt",
    body: { instance: "a1b2c3d4" },
  });
  const unknown = await fleet(hub, "adopt", "edge", "nosuch", "a1b2");
  expect(unknown).toMatchObject({ code: 3, stdout: "adopted 00aa0001\n" });
  expect(unknown.stderr).toContain('no instance "nosuch"');
  expect(await fleet(hub, "adopt", "edgy", "a1b2")).toMatchObject({ code: 3, stdout: "" });
  expect(hub.services).toHaveLength(2);
});

it("spreads services of one kind over a label", async () => {
  const hub = await startFakeHub();
  const url = "client://127.0.0.1:1/127.0.0.1:2";
  const argv = ["create", url, "--on", "site=home", "--spread", "region", "--alias", "web-1"];
  expect(await fleet(hub, ...argv)).toMatchObject({ code: 0, stderr: "" });
  expect(hub.requests.find(({ line }) => line.startsWith("POST"))?.body).toMatchObject({
    alias: "web-1",
    parts: [{ url, selector: "site=home", spread: "region" }],
  });
});

it("names, labels and drains masters", async () => {
  const hub = await startFakeHub();
  const labelled = await fleet(hub, "label", "edge", "fast-", "tier=a", "--address", "192.0.2.1");
  expect(labelled).toMatchObject({ code: 0, stderr: "" });
  expect(labelled.stdout).toMatch(/^labels +region=eu tier=a$/m);
  expect(hub.masters[0]).toMatchObject({
    labels: { region: "eu", tier: "a" },
    address: "192.0.2.1",
  });
  expect((await fleet(hub, "label", "edge")).code).toBe(2);
  // Somebody else sets a label between the reading and the writing.
  const [edge] = hub.masters;
  hub.beforeChange = () => {
    hub.beforeChange = undefined;
    if (edge === undefined) return;
    hub.masters[0] = { ...edge, labels: { ...edge.labels, theirs: "1" }, revision: "77" };
  };
  expect((await fleet(hub, "label", "edge", "ours=1")).code).toBe(0);
  expect(hub.masters[0]?.labels).toMatchObject({ theirs: "1", ours: "1" });
  const drained = await fleet(hub, "drain", "edge");
  expect(drained).toMatchObject({ code: 1, stdout: "moved 00aa0000\n" });
  expect(drained.stderr).toContain("left ffff: no other master");
  expect((await fleet(hub, "drain", "edge", "--undo")).code).toBe(0);
  expect(hub.requests.at(-1)?.body).toEqual({ draining: false });
});

it("makes tokens: for masters once and for an hour, for people by role", async () => {
  const hub = await startFakeHub();
  const join = await fleet(hub, "token", "create", "--label", "region=eu", "--label", "fast=");
  expect(join).toMatchObject({ code: 0, stdout: "join-secret\n" });
  expect(join.stderr).toContain("nodepass-master --join");
  expect(hub.requests.at(-1)?.body).toEqual({
    ...{ kind: "join", uses: 1, ttl: 3600 },
    labels: { region: "eu", fast: "" },
  });
  const argv = ["--role", "viewer", "--selector", "region=eu", "--ttl", "30d", "--note", "wall"];
  const api = await fleet(hub, "token", "create", ...argv, "--json");
  expect(JSON.parse(api.stdout)).toMatchObject({ token: "api-secret" });
  expect(hub.requests.at(-1)?.body).toEqual({
    ...{ kind: "api", role: "viewer", selector: "region=eu", ttl: 2_592_000, note: "wall" },
  });
  expect((await fleet(hub, "token", "create", "--role", "viewer", "--label", "a=b")).code).toBe(2);
  expect((await fleet(hub, "token", "create", "--ttl", "soon")).stderr).toContain("30d");
  expect((await fleet(hub, "token", "rm", "t2")).stdout).toBe("removed t2\n");
});

it("shows the fleet with its alarms, all instances page by page, the audit and the events", async () => {
  const hub = await startFakeHub();
  expect((await fleet(hub, "show")).stdout).toMatch(/^fleet +prod\n[\s\S]*^alarm +mass-loss: 7/m);
  const { code, stdout, stderr } = await fleet(hub, "ls", "instances", "-l", "region=eu");
  expect([code, stderr]).toEqual([0, "nodepass: no answer of the master 00000000000000b0\n"]);
  expect(stdout).toMatch(/^MASTER +ID .*\nedge +a1b2c3d4 .*\nedge +00c0ffee .*\n$/);
  expect(stdout).not.toContain("hunter2");
  expect(hub.requests.at(-1)?.line).toBe(
    "GET /api/v1/fleet/instances?selector=region%3Deu&cursor=next",
  );
  expect((await fleet(hub, "audit", "--limit", "5")).stdout).toMatch(
    /^9 .*192\.0\.2\.7 +service\.move +00aa0000 +7 -> 8 +done +to edge$/m,
  );
  expect(hub.requests.at(-1)?.line).toBe("GET /api/v1/fleet/audit?limit=5");
  expect((await fleet(hub, "audit", "--before", "9")).code).toBe(0);
  expect(hub.requests.at(-1)?.line).toMatch(/audit\?(?=.*limit=50)(?=.*before=9)/);
  expect(await fleet(hub, "audit", "--before", "x")).toMatchObject({ code: 2, stdout: "" });
  const events = startCli(["fleet", "events"], { environment: hub.environment });
  await events.waitFor(/initial +edge online\n/);
  await events.waitFor(/failover +server of web: home is lost, edge takes over\n/);
  events.child.kill("SIGINT");
  expect(await events.ended).toMatchObject({ code: 0 });
});

it("makes nothing of a terminal of what masters call themselves", async () => {
  const hub = await startFakeHub();
  const [edge] = hub.masters;
  const evil = "a\x1b]0;owned\x07\x1b[2J\u009b31m\u202eb\r\n";
  Object.assign(edge ?? {}, { name: evil, version: evil, address: evil });
  await fleet(hub, "create", "server://0.0.0.0:1/127.0.0.1:2", "--on", "00000000000000e1");
  for (const service of hub.services) Object.assign(service, { sid: evil, alias: evil });
  const lists = [["ls"], ["ls", "--json"], ["ls", "services"], ["ls", "services", "-q"]];
  for (const argv of [...lists, ["ls", "instances"], ["show", "00000000000000e1"]]) {
    const { stdout, stderr } = await fleet(hub, ...argv);
    expect(stdout).not.toBe("");
    const obeyed = `${stdout}${stderr}`.match(/[^\P{Cc}\n]|\p{Bidi_Control}/gu);
    expect(obeyed, argv.join(" ")).toBeNull();
  }
});

it("exports into a file for its owner only, and imports it", async () => {
  const hub = await startFakeHub();
  const file = join(temporaryFolder(), "fleet.json");
  expect((await fleet(hub, "export", "--to", file)).stdout).toBe(`wrote ${file}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await fleet(hub, "export", "--to", file)).toMatchObject({
    code: 1,
    stderr: `nodepass: ${file} is there already: nothing is overwritten, name a new file\n`,
  });
  const dash = await fleet(hub, "export", "--nodepassdash");
  expect(JSON.parse(dash.stdout)).toEqual({ exported: "?format=nodepassdash" });
  // Whoever has the file may do what the token may.
  expect(dash.stderr).toMatch(
    /^each endpoint in it has the token that asked, with the role admin:.*\n.*token create --role operator.*\n.*--key TOKEN\n$/,
  );
  writeFileSync(file, readFileSync(file));
  expect((await fleet(hub, "import", file)).stdout).toBe(
    "1 created, 0 changed, 2 as they were\n3 masters are back\n",
  );
});

it("completes masters and services", async () => {
  const hub = await startFakeHub();
  await fleet(hub, "create", "client://127.0.0.1:1/127.0.0.1:2", "--on", "edge", "--alias", "web");
  const names = (source: string) =>
    runCli(["complete-names", source], { environment: hub.environment });
  expect((await names("masters")).stdout).toBe("00000000000000b0\n00000000000000e1\nedge\nhome\n");
  expect((await names("services")).stdout).toBe("00aa0000\nweb\n");
  const { stdout: script } = await runCli(["completion", "fish"]);
  expect(script).toMatch(/fleet.*drain.*complete-names masters/);
  expect(script).toMatch(/fleet.*move.*complete-names services/);
});

it("says where no hub is, and ends as other commands do", async () => {
  const environment = { NP_MASTER_URL: "http://127.0.0.1:1", NP_API_KEY: "k" };
  expect(await runCli(["fleet", "ls"], { environment })).toMatchObject({ code: 5, stdout: "" });
  const nobody = { XDG_CONFIG_HOME: temporaryFolder() };
  expect(await runCli(["fleet", "ls"], { environment: nobody })).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/no fleet's token.*\n.*login NAME --master https.*\n.*token/),
  });
  const hub = await startFakeHub();
  const wrong = { ...hub.environment, NP_API_KEY: "wrong" };
  expect(await runCli(["fleet", "ls"], { environment: wrong })).toMatchObject({
    code: 4,
    stderr: expect.stringContaining(`the hub at ${hub.url} refuses: no such token`),
  });
  expect((await fleet(hub, "mvoe")).stderr).toContain("Did you mean move?");
});
