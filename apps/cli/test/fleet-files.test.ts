import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type FakeHub, fakeMember, fakeToken, startFakeHub } from "./support/fake-hub.ts";
import { fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { runCli } from "./support/run-cli.ts";

const run = ({ environment }: Pick<FakeHub, "environment">, ...argv: string[]) =>
  runCli(argv, { environment });

function writeYaml(text: string, name = "site.yaml"): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
}

const SITE = `tunnels:
  web:
    pair: { server: { on: edge }, client: { selector: region=eu } }
    entry: ":8080"
    target: "127.0.0.1:80"
    failover: serve
    ttl: 20
  local: { server: ":10101", target: ":81", key: hunter2, mode: 1, on: edge, tags: { tier: gold }, start: false }
`;

it("makes a fleet what a file says, once, and prunes only what it brought", async () => {
  const hub = await startFakeHub();
  const file = writeYaml(SITE);
  await run(hub, "fleet", "create", "client://:1/:2?mode=1", "--on", "edge", "--alias", "by-hand");
  const planned =
    "create web  server://:auto/:8080?mode=1&tls=1 on edge, client://auto/127.0.0.1:80?mode=2 on region=eu\n" +
    "create local  server://***@:10101/:81?mode=1 on edge\n";
  const diff = await run(hub, "diff", "-f", file);
  expect(diff).toMatchObject({ code: 6, stdout: planned, stderr: "" });
  expect(await run(hub, "apply", "-f", file, "--dry-run")).toEqual(diff);
  expect(hub.services).toHaveLength(1);

  const done = await run(hub, "apply", "-f", file);
  expect(done).toMatchObject({ code: 0, stdout: planned.replaceAll("\n", ": done\n") });
  expect(hub.requests.filter(({ line }) => line.startsWith("POST")).slice(1)).toMatchObject([
    {
      body: {
        alias: "web",
        tags: { "nodepass.owner": "site", "nodepass.name": "web" },
        policy: { failover: "serve", ttl: 20, failback: "never" },
        parts: [
          { role: "server", master: "00000000000000e1", running: true },
          { role: "client", selector: "region=eu", running: true },
        ],
      },
    },
    {
      body: {
        tags: { tier: "gold", "nodepass.owner": "site" },
        parts: [{ url: "server://hunter2@:10101/:81?mode=1", running: false }],
      },
    },
  ]);
  expect(await run(hub, "apply", "-f", file)).toMatchObject({ code: 0, stdout: "nothing to do\n" });

  writeFileSync(file, SITE.replace(/^ {2}local.*\n/m, "").replace("ttl: 20", "ttl: 30"));
  for (const command of ["diff", "apply"]) {
    expect(await run(hub, command, "-f", file, "--prune")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /--prune at a fleet needs --owner: .* another file named "site\.yaml" .* the owner '?site'?\)/,
      ),
    });
  }
  expect(hub.services).toHaveLength(3);
  const prune = ["-f", file, "--owner", "site", "--prune"];
  const json = await run(hub, "diff", ...prune, "--json");
  expect(JSON.parse(json.stdout)).toEqual([
    { kind: "remove", name: "local", id: "00aa0002" },
    { kind: "change", name: "web", id: "00aa0001", changes: ["policy"] },
  ]);
  expect((await run(hub, "apply", ...prune)).code).toBe(0);
  expect(hub.services).toMatchObject([{ alias: "by-hand" }, { alias: "web", policy: { ttl: 30 } }]);
});

it("moves back what names its master, and takes over what no file brought when asked", async () => {
  const hub = await startFakeHub();
  const file = writeYaml("tunnels: { a: { url: 'client://:1/h:2?mode=1', on: edge } }");
  await run(hub, "fleet", "create", "client://:1/h:2?mode=1", "--on", "home", "--alias", "a");
  const conflict = await run(hub, "apply", "-f", file);
  expect(conflict).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^conflict a .*a service that no file brought .*--adopt/),
  });
  const adopted = await run(hub, "apply", "-f", file, "--adopt");
  expect(adopted.stdout).toBe("change a (00aa0000): tags, move: done\n");
  expect(hub.services).toMatchObject([
    { tags: { "nodepass.owner": "site" }, parts: [{ owner: "00000000000000e1" }] },
  ]);
  expect((await run(hub, "apply", "-f", file)).stdout).toBe("nothing to do\n");
});

it("exports what applies again, with masters by their names, for its owner only", async () => {
  const hub = await startFakeHub();
  hub.masters.push(fakeMember("00000000000000c7", { name: "home" }));
  await run(hub, "fleet", "label", "edge", "--address", "192.0.2.1");
  await run(hub, "apply", "-f", writeYaml(SITE));
  const argv = ["fleet", "create", "client://k@h:1/h:2?mode=2", "--on", "00000000000000c7"];
  await run(hub, ...argv, "--alias", "twice");
  const file = join(temporaryFolder(), "out.yaml");
  const written = await run(hub, "export", "--to", file);
  expect(written).toMatchObject({ code: 0, stdout: `wrote 3 services to ${file}\n` });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, "utf8");
  expect(text).toContain("hunter2");
  // A pair's key is not in it, and a name that two have is none.
  expect(text).not.toContain("fake-key");
  expect(text).toContain('url: "client://auto/127.0.0.1:80?mode=2"');
  expect(text).toMatch(/on: "edge"[\s\S]*on: "00000000000000c7"/);
  const again = await run(hub, "apply", "-f", file, "--owner", "site", "--adopt");
  expect(again.stderr).toBe("");
  expect(again.stdout).toBe("change twice (00aa0002): tags: done\n");
  expect((await run(hub, "diff", "-f", file, "--owner", "site")).code).toBe(0);
  const list = await run(hub, "export", "--to-url-list");
  expect(list.stdout.split("\n")).toContain("server://hunter2@:10101/:81?mode=1");

  // Who is shown no keys: none in a file, and none compared.
  for (const [at, service] of hub.services.entries()) {
    const parts = service.parts.map((part) => ({
      ...part,
      url: part.url.replace(/\/\/[^@/]*@/, "//***@"),
    }));
    hub.services[at] = { ...service, parts };
  }
  expect(await run(hub, "export")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("this token is shown no keys"),
  });
  expect(await run(hub, "diff", "-f", file, "--owner", "site")).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("this token is shown no keys: whether one differs"),
  });
});

it("leaves what a master runs for its fleet to the hub", async () => {
  const hub = await startFakeHub();
  await run(hub, "fleet", "create", "client://:1/h:2?mode=1", "--on", "edge");
  const file = writeYaml('tunnels: { through-the-hub: "client://:1/h:2?mode=1" }');
  const environment = { NP_API_KEY: fakeToken };
  const diff = ["diff", "-f", file, "--adopt", "-m", `edge@${hub.url}`];
  expect(await runCli(diff, { environment })).toMatchObject({
    code: 6,
    stdout:
      "conflict through-the-hub (a1b2c3d4): an instance of a service of the fleet has this alias; apply to its hub changes it\n",
  });
});

it("says of each entry what does not fit where it is applied, and changes nothing", async () => {
  const hub = await startFakeHub();
  const file = writeYaml(`tunnels:
  plain: "client://:1/h:2?mode=1"
  lost: { url: "client://:1/h:2?mode=1", on: nowhere }
  bad: { url: "client://:1/h:2?mode=1", selector: "=", failover: serve, ttl: 1 }
`);
  const refused = await run(hub, "apply", "-f", file);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr.split("\n").map((line) => line.trim())).toEqual([
    `nodepass: ${file}:2: tunnels.plain: says not where it runs (allowed at a fleet: on, selector, pair)`,
    `${file}:4: tunnels.bad.ttl: 1 s is not valid (allowed: 3 to 300)`,
    expect.stringMatching(/:4: tunnels\.bad\.selector: condition "=" is none of name=value/),
    `${file}:3: tunnels.lost: no master "nowhere"`,
    "",
  ]);
  expect(hub.requests.filter(({ line }) => !line.startsWith("GET"))).toEqual([]);
  const unknown = writeYaml("tunnels: { a: { url: 'client://:1/h:2?mode=1', on: nowhere } }");
  expect((await run(hub, "diff", "-f", unknown)).code).toBe(3);

  // At a master, and where this program would run it itself.
  const { url } = await startFakeMaster();
  const environment = { NP_MASTER_URL: url, NP_API_KEY: fakeKey };
  const site = writeYaml(SITE);
  expect(await runCli(["apply", "-f", site], { environment })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /site\.yaml:2: tunnels\.web: is for a fleet \(allowed at a master/,
    ),
  });
  expect(await runCli(["run", site])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("tunnels.web.failover: is for a fleet"),
  });
  // Without either it can be checked.
  const checked = await runCli(["check", site]);
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.stdout).toMatch(
    /^web {2}for a fleet {2}.*:2\n {2}server:\S+ on edge\n {2}client:\S+ on region=eu\n\nlocal \(kept stopped\)/,
  );
  expect(checked.stdout).not.toContain("hunter2");
  expect((await runCli(["check", file])).stderr).toContain("tunnels.bad.ttl");
});
