import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished, type TestContext, vi } from "vitest";
import { copySources, plainEnvironment, runToEnd, temporaryFolder } from "./support/checkout.ts";

const [folder, remove] = temporaryFolder("nodepass-checkout-");
const checkout = join(folder, "checkout");
const timeout = 300_000;
/** Of no use for whoever wants a registry. */
const offline = {
  npm_config_registry: "http://127.0.0.1:9/",
  pnpm_config_registry: "http://127.0.0.1:9/",
};

const start = (argv: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  runToEnd(["npm", "start", "--", ...argv], {
    cwd: checkout,
    env: { ...plainEnvironment(), ...more },
  });

beforeAll(async () => {
  copySources(checkout);
  const first = await start(["--version"]);
  if (first.code !== 0) throw new Error(`npm start: ${first.stderr}`);
  // The first start says what it does, and not on the output of the program.
  expect(first.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(first.stderr).toMatch(/^nodepass: installing.*\n(?:nodepass: .*\n)*nodepass: building\n$/);
}, timeout);

afterAll(remove);

it(
  "does nothing, says nothing and needs no network when nothing has changed",
  async () => {
    const { code, stdout, stderr } = await start(["check", "--json", "client://h:1/:2"], offline);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  },
  timeout,
);

it(
  "builds what has changed, and what is gone",
  async () => {
    const source = join(checkout, "apps/cli/src/version.ts");
    const before = readFileSync(source, "utf8");
    // The text for a version that can't be read.
    writeFileSync(source, before.replace('"unknown"', '"changed for a test"'));
    const changed = await start(["--version"], offline);
    expect(changed.stderr).toBe("nodepass: building\n");
    const built = join(checkout, "apps/cli/dist");
    const texts = readdirSync(built)
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFileSync(join(built, name), "utf8"));
    expect(texts.filter((text) => text.includes('"changed for a test"'))).toHaveLength(1);
    rmSync(join(checkout, "packages/url-config/dist/index.js"));
    expect((await start(["--version"], offline)).stderr).toBe("nodepass: building\n");
    writeFileSync(source, "const: broken");
    const broken = await start(["--version"], offline);
    expect(broken.code).not.toBe(0);
    expect(broken.stderr).toContain("src/version.ts");
    writeFileSync(source, before);
    expect((await start(["--version"], offline)).code).toBe(0);
    expect((await start(["--version"], offline)).stderr).toBe("");
  },
  timeout,
);

it(
  "prints hints that can be typed",
  async () => {
    const { code, stderr } = await start(["ls", "--master", "http://127.0.0.1:9"], {
      HOME: folder,
    });
    expect(code).toBe(4);
    expect(stderr).toContain("npm start -- login --master");
    expect((await start(["--help"])).stdout).toContain("npm start -- keygen --url");
  },
  timeout,
);

// From here on nothing changes the checkout: all of these start it at once.
it.concurrent(
  "says what the package manager said when it fails, and leaves nothing behind",
  async () => {
    const other = join(folder, "other");
    copySources(other);
    const empty = {
      pnpm_config_store_dir: join(folder, "store"),
      pnpm_config_cache_dir: join(folder, "cache"),
    };
    const { code, stderr } = await runToEnd(["npm", "start", "--", "--version"], {
      cwd: other,
      env: { ...plainEnvironment(), ...offline, ...empty },
      limitMs: 120_000,
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/127\.0\.0\.1:9/);
    await vi.waitFor(() => expect(processesIn(other)).toEqual([]));
  },
  timeout,
);

const hasTerminals = spawnSync("script", ["--version"]).stdout?.includes("util-linux") === true;
if (!hasTerminals)
  console.info("starter: no pseudo terminals (util-linux's script), two tests left out");

it.runIf(hasTerminals).concurrent.for(["one Ctrl-C", "a SIGINT to npm alone"])(
  "%s in a terminal is one",
  { timeout },
  async (how, { onTestFinished }) => {
    const state = join(folder, `terminal-${how.length}`);
    const command = `exec npm start -- quickstart --port 0 --state ${state}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: checkout,
      env: { ...plainEnvironment(), TERM: "xterm", SHELL: "/bin/sh" },
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await vi.waitFor(() => expect(output).toContain("Ctrl-C stops it"), { timeout: 60_000 });
    expect(output).toContain("npm start -- login --master http://127.0.0.1:");
    const closed = once(child, "close");
    if (how === "one Ctrl-C") child.stdin.write("\x03");
    else {
      const npmPid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
      expect(npmPid).toBeGreaterThan(1);
      process.kill(npmPid, "SIGINT");
    }
    const [code] = await closed;
    expect(output).toMatch(/stopping reason=SIGINT[\s\S]*stopped/);
    expect(output).not.toContain("second signal");
    expect(code).toBe(0);
  },
);

/** Starts what `npm start` starts, without a terminal and at the head of a process group. */
async function startQuickstart(
  words: readonly string[],
  onTestFinished: TestContext["onTestFinished"],
) {
  const state = join(folder, `state-${words[0]}-${process.hrtime.bigint()}`);
  const [command = "", ...argv] = [...words, "quickstart", "--port", "0", "--state", state];
  const env = plainEnvironment();
  const child = spawn(command, argv, { cwd: checkout, env, detached: true });
  const leader = child.pid ?? Number.NaN;
  onTestFinished(() => {
    try {
      process.kill(-leader, "SIGKILL");
    } catch {
      // All of it has ended, as it should.
    }
  });
  const closed = once(child, "close");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await vi.waitFor(() => expect(output).toContain("Ctrl-C stops it"), { timeout: 60_000 });
  return { leader, ended: closed.then(([code]) => ({ code, output })) };
}

const npm = ["npm", "start", "--"];
const starter = [process.execPath, "scripts/run.mjs", "start"];

it.concurrent.for([
  ["npm alone gets a SIGINT", npm, 1, "SIGINT"],
  ["npm alone gets a SIGTERM", npm, 1, "SIGTERM"],
  ["npm and what it started get a SIGINT", npm, -1, "SIGINT"],
  ["npm and what it started get a SIGTERM", npm, -1, "SIGTERM"],
  ["the starter alone gets a SIGINT", starter, 1, "SIGINT"],
  ["the starter alone gets a SIGTERM", starter, 1, "SIGTERM"],
  ["the starter and what it started get a SIGINT", starter, -1, "SIGINT"],
  // At its alarm, which is sent here, it signals npm and then its whole group.
  ["timeout(1) ends npm with a SIGINT", ["timeout", "-s", "INT", "600", ...npm], 1, "SIGALRM"],
] as const)(
  "stops once when %s, without a terminal",
  { timeout },
  async ([, words, whom, signal], { onTestFinished }) => {
    const { leader, ended } = await startQuickstart(words, onTestFinished);
    process.kill(whom * leader, signal);
    const { code, output } = await ended;
    expect(output).toMatch(/stopping reason=SIG(?:INT|TERM)[\s\S]*stopped/);
    expect(output).not.toContain("second signal");
    // npm ends by the signal itself, timeout(1) with a code of its own.
    if (words === starter) expect(code).toBe(0);
  },
);

/** Command lines of processes whose working folder is in `path`. */
function processesIn(path: string): string[] {
  const { stdout } = spawnSync("sh", [
    "-c",
    'ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "$1"',
    "sh",
    path,
  ]);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

it(
  "packs what plain npm installs, with licence and addresses",
  async () => {
    const env = { ...plainEnvironment(), ...offline };
    const packed = await runToEnd(["npm", "run", "pack:all"], { cwd: checkout, env });
    expect([packed.code, packed.stdout]).toEqual([0, ""]);
    const tarballs = readdirSync(join(checkout, "tarballs"));
    const folders = ["packages", "apps"].flatMap((each) => readdirSync(join(checkout, each)));
    expect(tarballs).toHaveLength(folders.length);
    for (const name of tarballs) {
      const path = join(checkout, "tarballs", name);
      const licence = execFileSync("tar", ["-xzOf", path, "package/LICENSE"], { encoding: "utf8" });
      expect(licence).toBe(readFileSync(join(checkout, "LICENSE"), "utf8"));
      const text = execFileSync("tar", ["-xzOf", path, "package/package.json"], {
        encoding: "utf8",
      });
      expect(text).not.toContain("workspace:");
      expect(JSON.parse(text)).toMatchObject({
        license: "MIT",
        engines: { node: ">=22.12" },
        repository: { type: "git", url: expect.any(String), directory: expect.any(String) },
        homepage: expect.stringMatching(/^https:/),
        bugs: expect.stringMatching(/^https:/),
        keywords: expect.arrayContaining(["nodepass"]),
      });
    }
    const prefix = join(folder, "prefix");
    // As README says, with the npm and the registry of whoever runs this.
    const command = `npm install --global --prefer-offline --prefix ${prefix} ./tarballs/*.tgz`;
    const installed = await runToEnd(["sh", "-c", command], {
      cwd: checkout,
      env: plainEnvironment(),
    });
    expect(installed).toMatchObject({ code: 0 });
    const script = join(prefix, "lib/node_modules/@nodepass/cli/dist/main.js");
    expect(execFileSync(process.execPath, [script, "--version"], { encoding: "utf8" })).toBe(
      "0.1.0\n",
    );
    // Each package has its own dependencies there, and those of two may be two copies of one.
    const master = spawn(process.execPath, [script, "master://127.0.0.1:0/api"], {
      cwd: folder,
      env: { ...process.env, NP_STATE_DIR: join(folder, "state"), NP_API_KEY: "k".repeat(32) },
      stdio: "pipe",
    });
    onTestFinished(() => void master.kill("SIGKILL"));
    let said = "";
    for (const output of [master.stdout, master.stderr]) {
      output.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const url = await vi.waitFor(
      () => {
        const found = /http:\/\/127\.0\.0\.1:\d+\/api/.exec(said);
        if (found === null) throw new Error(`the installed master said: ${said}`);
        return found[0];
      },
      { timeout: 60_000, interval: 50 },
    );
    const document = await (await fetch(`${url}/openapi.json`)).json();
    expect(document).toMatchObject({
      components: { schemas: { InstanceEvent: expect.anything() } },
    });
    master.kill("SIGTERM");
    expect(await once(master, "exit")).toEqual([0, null]);
  },
  timeout,
);
