import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { runCli, startCli } from "./support/run-cli.ts";

const run = promisify(execFile);
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Makes the child believe that it runs on another version of Node. */
const pretendNode = (node: string) => [
  "--import",
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${node}"}})`,
];

describe("nodepass", () => {
  it("prints its version", async () => {
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("prints help with every command and with examples", async () => {
    const { code, stdout, stderr } = await runCli(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const text of ["run ", "check ", "keygen ", "demo ", "completion ", "Examples:"]) {
      expect(stdout).toContain(text);
    }
    for (const text of ["ls|list ", "create ", "logs ", "top ", "login ", "key "]) {
      expect(stdout).toContain(text);
    }
  });

  it("shows the help on standard error and ends with 2 without arguments", async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: nodepass");
  });

  it.each([
    [["chekc"], "Did you mean check?"],
    [["keygen", "--bites", "32"], "Did you mean --bytes?"],
    [["server://:1/:2", "--log-formt", "json"], "Did you mean --log-format?"],
    [["keygen", "--bytes", "8"], "from 16 to 64"],
    [["completion", "csh"], "Allowed choices are bash, zsh, fish"],
    [["server://hunter2@:1/:2", "client://hunter2@:1/:2"], "too many arguments"],
    [["hunter2@host:10101/:80"], "a URL starts with server://"],
  ])("ends with 2 and a hint for %j", async (argv, hint) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("hunter2");
  });

  it("ends with 1 and names every problem of a URL, but not the key", async () => {
    const { code, stdout, stderr } = await runCli(["server://hunter2@x/:80?slot=ten&moed=1"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^nodepass: 3 problems:\n/);
    expect(stderr).toMatch(/tunnel address "x" .*allowed/);
    expect(stderr).toMatch(/slot "ten" .*allowed/);
    expect(stderr).toMatch(/moed .*did you mean mode/);
    expect(stderr).not.toContain("hunter2");
  });

  it("ends with 1 for a bad environment variable", async () => {
    const environment = { NP_REPORT_INTERVAL: "soon" };
    const { code, stderr } = await runCli(["client://127.0.0.1:1/127.0.0.1:2"], { environment });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^nodepass: NP_REPORT_INTERVAL "soon" .*allowed.*\n$/);
  });

  it.each([
    ["20.20.2", 1],
    ["22.11.9", 1],
    ["22.12.0", 0],
    ["23.0.0", 0],
  ])("on Node %s ends with %i", async (node, expected) => {
    const { code, stdout, stderr } = await runCli(["--version"], {
      nodeArguments: pretendNode(node),
    });
    expect(code).toBe(expected);
    if (expected === 0) expect(stdout).toBe(`${version}\n`);
    else expect(stderr).toMatch(/^nodepass: needs Node.js 22\.12 or newer, this is .*\n$/);
  });

  it("says an unexpected error in one line and ends with 1", async () => {
    const { code, stderr } = await runCli(["keygen"], {
      nodeArguments: [
        "--import",
        `data:text/javascript,process.on("newListener",(name)=>{if(name==="uncaughtException")setTimeout(()=>{throw new Error("bo\\nom")})})`,
      ],
    });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "nodepass: unexpected error: bo om\n" });
  });

  it("ends quietly when nobody reads its output", async () => {
    const { child, ended, stderr } = startCli(["--help"]);
    child.stdout.destroy();
    expect((await ended).code).toBe(0);
    expect(stderr()).toBe("");
  });

  it.runIf(process.platform === "linux")(
    "ends with 1 when its output can't be written",
    async () => {
      const { stdout } = await run("sh", [
        "-c",
        `"$0" "$1" keygen 2>&1 >/dev/full; echo "code $?"`,
        process.execPath,
        new URL("../dist/main.js", import.meta.url).pathname,
      ]);
      expect(stdout).toMatch(/^nodepass: cannot write to standard output: ENOSPC.*\ncode 1\n$/);
    },
  );

  it("starts as a program of its own", async () => {
    expect(readFileSync(new URL("../dist/main.js", import.meta.url), "utf8")).toMatch(
      /^#!\/usr\/bin\/env node\n/,
    );
  });
});

describe("nodepass check", () => {
  const url = "server://hunter2@:10101/127.0.0.1:8080?mode=1&tls=1";

  it("says what a URL means, every setting and the other end", async () => {
    const { code, stdout, stderr } = await runCli(["check", url]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Reverse: users connect here, on 127.0.0.1:8080");
    expect(stdout).toMatch(/\n {2}tls +1 +set /);
    expect(stdout).toMatch(/\n {2}max +1024 +default /);
    expect(stdout).toMatch(/\n {2}nodepass 'client:\/\/\*\*\*@.*\n.*--show-key/);
    expect(stdout).not.toContain("hunter2");
  });

  it("shows the key when asked to", async () => {
    const { stdout } = await runCli(["check", "--show-key", url]);
    expect(stdout).toMatch(/\n {2}nodepass 'client:\/\/hunter2@/);
    expect(stdout).not.toContain("--show-key");
    // Without a key there is none to show.
    const keyless = await runCli(["check", url.replace("hunter2@", "")]);
    expect(keyless.stdout).toContain("nodepass 'client://");
    expect(keyless.stdout).not.toContain("--show-key");
  });

  it("prints JSON", async () => {
    const { code, stdout } = await runCli(["check", "--json", url]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, problems: [] });
  });

  it("ends with 1 and lists the problems of a bad URL", async () => {
    const { code, stdout, stderr } = await runCli(["check", "server://hunter2@:1/:2?slot=ten"]);
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^1 problem\n {2}slot "ten" .*allowed/);
    const json = await runCli(["check", "--json", "server://:1/:2?slot=ten"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false });
  });

  it.each([
    [{}, false],
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("with the environment %j in a pipe has colour: %s", async (environment, expected) => {
    const { stdout } = await runCli(["check", url], { environment });
    expect(stdout.includes("\x1b[")).toBe(expected);
  });
});

describe("nodepass keygen", () => {
  it("prints another key of at least 128 bits each time", async () => {
    const [one, two] = await Promise.all([runCli(["keygen"]), runCli(["keygen", "--bytes", "16"])]);
    expect(one.stdout).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{31}\n$/);
    expect(two.stdout).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}\n$/);
    expect(one.stdout.slice(0, 22)).not.toBe(two.stdout.slice(0, 22));
  });

  it("prints a pair of commands whose URLs are good", async () => {
    const { stdout } = await runCli(["keygen", "--url"]);
    const urls = Array.from(stdout.matchAll(/nodepass '(.*)'/g), ([, url = ""]) => url);
    expect(urls).toHaveLength(2);
    for (const url of urls) expect((await runCli(["check", url])).code).toBe(0);
  });
});

describe("nodepass completion", () => {
  const complete = async (...words: string[]) => {
    const { stdout: script } = await runCli(["completion", "bash"]);
    const ask = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nodepass; echo "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["-c", ask, "bash", "nodepass", ...words]);
    return stdout.trim().split(" ");
  };

  it("prints a script for bash that completes commands, options and values", async () => {
    expect(await complete("ch")).toEqual(["check"]);
    expect(await complete("run", "--log-f")).toEqual(["--log-format"]);
    expect(await complete("demo", "--log-format", "")).toEqual(["text", "json"]);
    expect(await complete("top", "--sort", "")).toEqual(expect.arrayContaining(["rate", "name"]));
    expect(await complete("key", "re")).toEqual(["renew"]);
    expect(await complete("create", "--al")).toEqual(["--alias"]);
    expect(await complete("completion", "")).toEqual(expect.arrayContaining(["bash", "fish"]));
  });

  it.each(["bash", "zsh", "fish"])(
    "prints a script for %s that the shell can read",
    async (shell) => {
      const { code, stdout } = await runCli(["completion", shell]);
      expect(code).toBe(0);
      expect(stdout).toContain("keygen");
      const checked = await run(shell, ["-n", "-c", stdout]).catch((error: unknown) => error);
      // Only bash is everywhere; the others are asked where they are.
      if (shell === "bash" || !isMissing(checked)) expect(checked).toMatchObject({ stderr: "" });
    },
  );
});

it.each([
  [["--metrics", "127.0.0.1:9464", "run", "nodepass.yaml"], "--metrics"],
  [["--json", "ls"], "--json"],
])("says of %j that options stand after the command", async (argv, option) => {
  const { code, stdout, stderr } = await runCli(argv);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(
    `nodepass: unknown option '${option}' before the command: options stand after it\n`,
  );
  // Of another one, that is not why.
  expect((await runCli(["ls", "--nonsense"])).stderr).not.toContain("before the command");
});

function isMissing(result: unknown): boolean {
  return result instanceof Error && "code" in result && result.code === "ENOENT";
}
