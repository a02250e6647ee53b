import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { fakeInstance, fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { startRealMaster } from "./support/real-master.ts";
import { mainPath, runCli, startCli } from "./support/run-cli.ts";
import { startEcho } from "./support/sockets.ts";

const run = promisify(execFile);
const good = "client://127.0.0.1:0/127.0.0.1:1?mode=1";

async function startFake() {
  const master = await startFakeMaster();
  const environment = {
    NP_MASTER_URL: master.url,
    NP_API_KEY: fakeKey,
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  return { master, environment };
}

it.each(["&rat=3", "&rate=abc", "&mode=7", "&tls=2"])(
  "does not send a server's URL with %s unless forced, by create and by edit",
  async (slip) => {
    const { master, environment } = await startFake();
    master.instances.set("a1b2c3d4", fakeInstance());
    const url = `server://hunter2hunter2hunter2@127.0.0.1:1/127.0.0.1:2?log=info${slip}`;
    const { stdout } = await runCli(["check", "--json", url]);
    const [problem = ""] = JSON.parse(stdout).problems;
    for (const argv of [
      ["create", url],
      ["edit", "web", "--url", url],
    ]) {
      const refused = await runCli(argv, { environment });
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(problem);
      expect(refused.stderr).toContain("--force sends it all the same");
      expect(refused.stderr).not.toContain("hunter2");
    }
    expect(master.requests).toEqual([]);
    const forced = await runCli(["create", "--force", url], { environment });
    expect(forced.code).toBe(0);
    expect(master.requests).toContain("POST /api/v1/instances");
  },
);

it("shows what the master overlooked in a URL", async () => {
  const { environment } = await startRealMaster();
  const made = await runCli(["create", "--force", `${good}&rat=3`, "--no-start"], { environment });
  expect(made.code).toBe(0);
  expect(made.stderr).toMatch(/^warning: the master: .*rat\b/m);
  // What was said before is not said again.
  const idle = await runCli(["create", `${good}&front=1`, "--no-start"], { environment });
  expect(idle.stderr).toBe("warning: front=1 has no effect: with mode=1 there is no server\n");
});

it("takes a URL from standard input, a file and the environment, and shows it to nobody", async () => {
  const url = "client://hunter2@127.0.0.1:0/127.0.0.1:1?mode=1";
  const file = join(temporaryFolder(), "tunnel.url");
  writeFileSync(file, `# the tunnel\n\n${url}\n`);
  const ways: [string[], Record<string, string>][] = [
    [["run", "-"], {}],
    [["run", "--file", file], {}],
    [["run"], { NP_URL: url }],
  ];
  for (const [argv, environment] of ways) {
    const { child, waitFor, ended } = startCli(argv, { environment });
    child.stdin.end(`${url}\n`);
    await waitFor(/nodepass starting/);
    if (process.platform === "linux") {
      const { stdout } = await run("ps", ["-o", "args=", "-p", String(child.pid)]);
      expect(stdout).not.toContain("hunter2");
    }
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain("hunter2");
  }
  expect(await runCli(["run"])).toMatchObject({ code: 2, stdout: "" });
  expect(await runCli(["run", url, "--file", file])).toMatchObject({ code: 2, stdout: "" });
  expect((await runCli(["run", "--file", `${file}.none`])).stderr).toContain("ENOENT");
});

it("says in a server's log where users connect", async () => {
  const { child, waitFor, ended } = startCli(["server://k@127.0.0.1:0/127.0.0.1:0?mode=1&tls=0"]);
  await waitFor(/server listening.*users=127\.0\.0\.1:[1-9]\d*/);
  child.kill("SIGTERM");
  await ended;
});

it("deals with the instances that it knows, and the exit code tells of the rest", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  master.instances.set("b1b2c3d4", fakeInstance({ id: "b1b2c3d4", alias: "db" }));
  const { code, stdout, stderr } = await runCli(["stop", "nope", "web", "db"], { environment });
  expect([code, stderr.split("\n")[0]]).toEqual([3, 'nodepass: no instance "nope"']);
  expect(stdout.match(/ stopped /g)).toHaveLength(2);
});

it("acts on all instances and on those with a tag", async () => {
  const { master, environment } = await startFake();
  const tagged = { peer: { sid: "", type: "", alias: "" }, tags: { use: "test" } };
  master.instances.set("a1b2c3d4", fakeInstance({ meta: tagged }));
  master.instances.set("b1b2c3d4", fakeInstance({ id: "b1b2c3d4", alias: "db" }));
  const list = async (...argv: string[]) =>
    (await runCli(["ls", "-q", ...argv], { environment })).stdout;
  expect(await list("--tag", "use=test")).toBe("a1b2c3d4\n");
  expect(await list("--tag", "use")).toBe("a1b2c3d4\n");
  expect(await list("--tag", "use=other")).toBe("");
  expect(await runCli(["stop", "--tag", "use"], { environment })).toMatchObject({ code: 0 });
  expect(master.instances.get("b1b2c3d4")?.status).toBe("running");
  expect(await runCli(["stop"], { environment })).toMatchObject({ code: 2, stdout: "" });
  expect(await runCli(["stop", "db", "--all"], { environment })).toMatchObject({ code: 2 });
  expect(await runCli(["stop", "--all"], { environment })).toMatchObject({ code: 0 });
  expect(master.instances.get("b1b2c3d4")?.status).toBe("stopped");
});

it("writes lists as a table, wide, as JSON and as YAML", async () => {
  const { master, environment } = await startFake();
  master.instances.set("12345678", fakeInstance({ id: "12345678" }));
  const list = async (form: string) => (await runCli(["ls", "-o", form], { environment })).stdout;
  expect(await list("wide")).toMatch(/ SINCE +RESTART +TAGS +PEER +URL\n/);
  expect(await list("table")).not.toContain("SINCE");
  const json = JSON.parse(await list("json"));
  expect(json).toMatchObject([{ id: "12345678" }]);
  expect(parse(await list("yaml"))).toEqual(json);
  expect(parse((await runCli(["show", "web", "-o", "yaml"], { environment })).stdout)).toEqual(
    json[0],
  );
  expect(await runCli(["ls", "-o", "xml"], { environment })).toMatchObject({ code: 2 });
});

it("prints the list again when something has changed", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  const { child, waitFor, ended, stdout } = startCli(["ls", "--watch"], { environment });
  await waitFor(/ web +server +running /);
  await expect.poll(() => master.streams(), { timeout: 20_000 }).toBe(1);
  // In its list, too, which may be asked for after the event.
  master.instances.set("a1b2c3d4", fakeInstance({ status: "stopped" }));
  master.emit({ type: "update", instance: fakeInstance({ status: "stopped" }) });
  await waitFor(/ web +server +stopped /);
  child.kill("SIGINT");
  expect((await ended).code).toBe(0);
  expect(stdout().match(/^ID /gm)?.length).toBeGreaterThanOrEqual(2);
});

it("refuses event types that no master tells", async () => {
  const { code, stderr } = await runCli(["events", "--type", "crate"]);
  expect(code).toBe(2);
  expect(stderr).toContain("allowed: initial, create, update, delete, log, shutdown");
});

it("warns of an alias that is taken", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  const made = await runCli(["create", good, "--alias", "web"], { environment });
  expect(made.code).toBe(0);
  expect(made.stderr).toContain('warning: the alias "web" is taken by a1b2c3d4');
  const other = await runCli(["edit", "a1b2", "--alias", "web"], { environment });
  expect(other.stderr).toContain("is taken by 00c0ffee");
  expect((await runCli(["edit", "a1b2", "--alias", "new"], { environment })).stderr).toBe("");
});

it("says of an empty list how to make an instance, by a command that check has no word about", async () => {
  const { environment } = await startFake();
  const { code, stdout, stderr } = await runCli(["ls"], { environment });
  expect([code, stdout]).toEqual([0, ""]);
  const [, url = ""] = /nodepass create '([^']+)'/.exec(stderr) ?? [];
  expect(JSON.parse((await runCli(["check", "--json", url])).stdout)).toMatchObject({
    ok: true,
    warnings: [],
  });
});

it("shows no example that its own check warns of", async () => {
  const { stdout } = await runCli(["--help"]);
  const urls = Array.from(stdout.matchAll(/["']((?:server|client):\/\/[^"']+)["']/g), ([, url]) =>
    String(url).replace("$KEY", "x".repeat(32)),
  );
  const pair = (await runCli(["keygen", "--url"])).stdout;
  urls.push(...Array.from(pair.matchAll(/'(.*)'/g), ([, url]) => String(url)));
  expect(urls.length).toBeGreaterThan(8);
  for (const url of urls) {
    const report = JSON.parse((await runCli(["check", "--json", url])).stdout);
    expect({ url, ...report }).toMatchObject({ ok: true, warnings: [] });
  }
});

it("points at the help of the sub-command that was mistyped", async () => {
  const { stderr } = await runCli(["key", "renew", "--lcal"]);
  expect(stderr).toContain("Try 'nodepass key renew --help'.");
  expect((await runCli(["chekc"])).stderr).toContain("Try 'nodepass --help'.");
});

it("prints its version and that of Node.js", async () => {
  const { code, stdout } = await runCli(["version", "--json"]);
  expect([code, JSON.parse(stdout).node]).toEqual([0, process.versions.node]);
});

it("says once what is allowed in place of a mistyped variable", async () => {
  const environment = { NP_REPORT_INTERVALL: "1s" };
  const { stdout } = await runCli(["check", good, "--json"], { environment });
  expect(JSON.parse(stdout).warnings).toEqual([
    "NP_REPORT_INTERVALL is not known (allowed: NP_REPORT_INTERVAL)",
  ]);
});

it("saves a renewed key in every profile that had the old one", async () => {
  const master = await startFakeMaster();
  const environment = { XDG_CONFIG_HOME: temporaryFolder() };
  for (const name of ["one", "two"]) {
    await runCli(["login", name, "--master", master.url, "--key", fakeKey], { environment });
  }
  await runCli(["login", "else", "--master", "h", "--key", "k", "--no-check"], { environment });
  const renewed = await runCli(["key", "renew", "--profile", "one"], { environment });
  expect(renewed.stderr).toBe("saved in the profiles one, two\n");
  for (const name of ["one", "two"]) {
    expect(await runCli(["info", "--profile", name], { environment })).toMatchObject({ code: 0 });
  }
});

it("tells why an instance fails: in create, show, ls and the kept log", async () => {
  const { environment } = await startRealMaster();
  const taken = `client://127.0.0.1:${await startEcho()}/127.0.0.1:1?mode=1`;
  const made = await runCli(["create", taken, "--alias", "taken"], { environment });
  expect(made).toMatchObject({ code: 1, stdout: "" });
  expect(made.stderr).toMatch(/^nodepass: \w{8} \(taken\) does not run: .*in use/m);
  expect(made.stderr).toMatch(/^ {2}since \d{4}-.*, tried again in \d+s$/m);
  expect(made.stderr).toMatch(/^ {2}.*(?:ERROR|WARN)/m);
  const shown = (await runCli(["show", "taken"], { environment })).stdout;
  expect(shown).toMatch(/^reason +.*in use/m);
  expect(shown).toMatch(/^fails +since /m);
  expect(shown).toMatch(/^last lines +/m);
  const listed = (await runCli(["ls"], { environment })).stdout;
  expect(listed).toMatch(/ NOTE +URL\n.* error .*in use/);

  const kept = await runCli(["logs", "taken", "--tail", "1"], { environment });
  expect([kept.code, kept.stdout.trim().split("\n").length]).toEqual([0, 1]);
  expect((await runCli(["logs", "--since", "1h"], { environment })).stdout).toMatch(/^taken /);
  expect((await runCli(["logs", "--since", "2999-01-01"], { environment })).stdout).toBe("");
  expect(await runCli(["logs", "--since", "soon"], { environment })).toMatchObject({ code: 2 });
});

it("tells a server that waits for its peer apart", async () => {
  const { environment } = await startRealMaster();
  const url = `server://${"k".repeat(20)}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1`;
  const made = await runCli(["create", url, "--alias", "alone"], { environment });
  expect(made).toMatchObject({ code: 0, stderr: "" });
  await expect
    .poll(async () => (await runCli(["ls"], { environment })).stdout, { timeout: 20_000 })
    .toMatch(/ running .*waits for its peer/);
});

it.each([0, 300])(
  "loses and repeats no line between those kept and those that come (%i ms later)",
  async (delay) => {
    const line = (second: number, text: string) => ({
      time: `2026-01-02T03:04:0${second}.000Z`,
      line: `2026-01-02 03:04:0${second}.000  INFO   ${text}`,
    });
    const both = line(6, "both ways");
    const tell = ({ time, line: logs }: typeof both) =>
      master.emit({ type: "log", time, instance: fakeInstance(), logs });
    const master = await startFakeMaster({
      // What happens while the answer is on its way.
      keptLines: () => {
        // Events have a connection of their own, which may be slower than the answer.
        setTimeout(() => {
          tell(both);
          tell(line(7, "in between"));
        }, delay);
        return [line(5, "kept"), both];
      },
    });
    master.instances.set("a1b2c3d4", fakeInstance());
    const environment = { NP_MASTER_URL: master.url, NP_API_KEY: fakeKey };
    const logs = startCli(["logs", "web", "--tail", "2", "-f"], { environment });
    await logs.waitFor(/in between/);
    tell(line(8, "afterwards"));
    await logs.waitFor(/afterwards/);
    logs.child.kill("SIGINT");
    const { code, stdout, stderr } = await logs.ended;
    expect([code, stderr]).toEqual([0, ""]);
    const texts = stdout.trim().split("\n");
    expect(texts.map((text) => text.replace(/.*INFO +/, ""))).toEqual([
      "kept",
      "both ways",
      "in between",
      "afterwards",
    ]);
  },
);

it("ends with the reason when kept lines cannot be read, though they would be followed", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  const { code, stderr } = await runCli(["logs", "web", "--tail", "5", "-f"], { environment });
  expect([code, stderr]).toEqual([1, expect.stringContaining("keeps no log lines")]);
});

it.each(["completion", "create", "key", ""])(
  "names in the help of %j only commands that can be typed where it is printed",
  async (name) => {
    const environment = { NODEPASS_COMMAND: "npm start --" };
    const argv = [...(name === "" ? [] : [name]), "--help"];
    const { stdout } = await runCli(argv, { environment });
    expect(stdout).toMatch(/^Usage: npm start -- /);
    // Names of files, and the name of the program, are no commands.
    expect(stdout).not.toMatch(/(?<![/_])\bnodepass (?=[<a-z'"])/);
  },
);

it("says that an older master keeps no log lines", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  const { code, stderr } = await runCli(["logs", "web", "--tail", "5"], { environment });
  expect([code, stderr]).toEqual([1, expect.stringContaining("keeps no log lines")]);
});

it("completes instances and profiles in bash", async () => {
  const { master, environment } = await startFake();
  master.instances.set("a1b2c3d4", fakeInstance());
  await runCli(["login", "home", "--master", "h", "--key", "k", "--no-check"], { environment });
  const folder = temporaryFolder();
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "nodepass"), `#!/bin/sh\nexec "$NODE" "$MAIN" "$@"\n`, {
    mode: 0o755,
  });
  const complete = async (...words: string[]) => {
    const script = [
      'eval "$(nodepass completion bash)"',
      `COMP_WORDS=(nodepass ${words.join(" ")} '')`,
      `COMP_CWORD=${words.length + 1}`,
      "_nodepass",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join("\n");
    const { stdout } = await run("bash", ["-c", script], {
      env: {
        ...environment,
        NODE: process.execPath,
        MAIN: mainPath,
        PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      },
    });
    return stdout.trim().split("\n");
  };
  expect(await complete("stop")).toEqual(expect.arrayContaining(["a1b2c3d4", "web"]));
  expect(await complete("ls", "--profile")).toEqual(["home"]);
  expect(await complete("profile", "use")).toEqual(expect.arrayContaining(["home"]));
  expect((await runCli(["--help"])).stdout).not.toContain("complete-names");
});
