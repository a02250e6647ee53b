import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  addLibraries,
  addNode,
  getNode,
  inRoot,
  makeBase,
  removeRoot,
  whyNoImage,
  whyNoRoot,
} from "./support/bare-machine.ts";
import {
  copySources,
  plainEnvironment,
  root,
  runToEnd,
  temporaryFolder,
} from "./support/checkout.ts";

const timeout = 600_000;
const missing = { root: whyNoRoot(), image: whyNoImage() };
if (missing.root !== undefined) console.info(`bare machine: left out, ${missing.root}`);
if (missing.image !== undefined) console.info(`image: left out, ${missing.image}`);

const [folder] = temporaryFolder("nodepass-bare-");
const base = join(folder, "base.tar");

beforeAll(() => {
  if (missing.root === undefined) makeBase(base);
}, timeout);
afterAll(() => removeRoot(folder), timeout);

describe.runIf(missing.root === undefined)("Debian's smallest root, Node 20 and npm", () => {
  const machine = join(folder, "machine");
  const run = (script: string) =>
    runToEnd(inRoot(machine, `cd /source; ${script}`), { cwd: folder, env: plainEnvironment() });

  beforeAll(() => {
    mkdirSync(machine);
    spawnSync("tar", ["-C", machine, "-xf", base]);
    addNode(machine, getNode("20.20.2", join(folder, "node20")));
    copySources(join(machine, "source"));
  }, timeout);

  it(
    "npm start brings a Node that runs, and says so once",
    async () => {
      const first = await run("npm start -- --version");
      expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
      expect(first.stderr).toMatch(/^nodepass: using Node 24\.\S+ .*libatomic\.so\.1 is missing$/m);
      expect(await run("npm start -- --version")).toEqual({
        code: 0,
        stdout: first.stdout,
        stderr: "",
      });
    },
    timeout,
  );

  it(
    "npm start runs the quick start, npm start -- ls --json asks it",
    async () => {
      const script = `
      npm start > log 2>&1 & pid=$!
      for i in $(seq 300); do grep -q 'Ctrl-C' log && break; sleep 0.1; done
      key=$(sed -n 's/.*API KEY: //p' log)
      NP_API_KEY=$key npm start -- ls --json --master http://127.0.0.1:9090
      kill $pid; wait $pid; cat log >&2`;
      // A loopback of its own: port 9090 may be taken outside.
      const [command = "", ...argv] = inRoot(machine, `cd /source; ${script}`);
      const words = [command, "--net", ...argv];
      const { stdout, stderr } = await runToEnd(withLoopback(words), {
        cwd: folder,
        env: plainEnvironment(),
      });
      expect(stderr).toContain("page fetched through the tunnel status=200");
      expect(JSON.parse(stdout)).toHaveLength(2);
    },
    timeout,
  );

  it(
    "npm test lints, builds and tests",
    async () => {
      const { code, stdout, stderr } = await run("npm test -- --project unit packages/logging");
      expect(`${stderr}${stdout}`).toMatch(/^\d+ passed, 0 failed\n/m);
      expect(code).toBe(0);
    },
    timeout,
  );
});

describe.runIf(missing.image === undefined)("the image, built by buildah", () => {
  const environment = { ...plainEnvironment(), BUILDAH_ISOLATION: "chroot" };
  const buildah = (...argv: string[]) => [
    "buildah",
    // Not by the environment: older versions pass over that when they are told a root.
    "--storage-driver",
    "vfs",
    "--root",
    join(folder, "storage"),
    "--runroot",
    join(folder, "run"),
    ...argv,
  ];
  const run = async (...argv: string[]) => {
    const { code, stdout, stderr } = await runToEnd(buildah(...argv), {
      cwd: root,
      env: environment,
    });
    if (code !== 0) throw new Error(`buildah ${argv[0]}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  const node = join(root, "node_modules/.bin/node");
  let container = "";

  beforeAll(async () => {
    const extra = join(folder, "extra");
    addNode(extra, node);
    addLibraries(extra, node);
    const working = await run("from", "scratch");
    await run("add", working, base, "/");
    await run("add", working, extra, "/");
    const certificates = "/etc/ssl/registry.crt";
    const trust = existsSync(join(extra, certificates))
      ? ["--env", `NODE_EXTRA_CA_CERTS=${certificates}`]
      : [];
    await run(
      "config",
      "--env",
      "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...trust,
      working,
    );
    await run("commit", "--rm", working, "localhost/node-base");
    const argument = "NODE_IMAGE=localhost/node-base";
    await run(
      "build",
      "--format",
      "docker",
      "--build-arg",
      argument,
      "-t",
      "nodepass-master",
      root,
    );
    container = await run("from", "nodepass-master");
  }, timeout);

  it("holds what runs and no more", async () => {
    const script = `du -sm /app | cut -f1; find /app -name src -o -name '*.ts' -o -name '*.map'
      ls /usr/local/bin; id -un; stat -c '%U %a' /var/lib/nodepass`;
    const [size, ...rest] = (await run("run", container, "--", "sh", "-c", script)).split("\n");
    expect(Number(size)).toBeLessThanOrEqual(12);
    expect(rest).toEqual(["node", "node", "node 700"]);
    console.info(`image: /app is ${size} MB`);
  });

  it("has a health check that old engines know", async () => {
    const text = await run("inspect", "--type", "image", "nodepass-master");
    expect(JSON.parse(text).Docker.config.Healthcheck).toMatchObject({
      Test: ["CMD", "node", "/app/dist/healthcheck.js"],
    });
  });

  it(
    "starts, is healthy, stops, has its state at the next start, and a new key when asked",
    async () => {
      // The chroot isolation shares this machine's network: an address of its own.
      const url = "NP_MASTER_URL=master://127.83.11.1:9090/api?log=info";
      const statusFor = async (key: string) => {
        const headers = { "X-API-Key": key };
        const answer = await fetch("http://127.83.11.1:9090/api/instances", { headers });
        await answer.body?.cancel();
        return answer.status;
      };
      const start = async (...more: string[]) => {
        const words = buildah(
          "run",
          "--env",
          url,
          ...more,
          container,
          "--",
          "node",
          "/app/dist/main.js",
        );
        const [command = "", ...argv] = words;
        const child = spawn(command, argv, { env: environment, detached: true });
        const end = (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal);
        onTestFinished(() => {
          if (child.exitCode === null) end("SIGKILL");
        });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding("utf8").on("data", (text: string) => {
            output += text;
          });
        }
        await vi.waitFor(() => expect(output).toContain("API docs:"), { timeout: 30_000 });
        return {
          output: () => output,
          stop: async () => {
            const closed = once(child, "close");
            // The helpers of buildah's chroot would die of it before the master has ended.
            process.kill(findMaster(child.pid ?? 0), "SIGTERM");
            await closed;
          },
        };
      };
      const first = await start("--env", "NP_SHOW_KEY=1");
      const [, key = ""] = /API KEY: ([0-9a-f]{32})/.exec(first.output()) ?? [];
      expect(await statusFor(key)).toBe(200);
      await run("run", "--env", url, container, "--", "node", "/app/dist/healthcheck.js");
      await first.stop();
      expect(first.output()).toContain("master stopped");
      const second = await start();
      expect(second.output()).not.toContain("API KEY");
      expect(await statusFor(key)).toBe(200);
      await second.stop();
      // As `docker run … --renew-key` of docs/operations.md, on the same state.
      const renewed = await run("run", container, "--", "node", "/app/dist/main.js", "--renew-key");
      expect(renewed).toMatch(/^[0-9a-f]{32}$/);
      const third = await start();
      expect([await statusFor(key), await statusFor(renewed)]).toEqual([401, 200]);
      expect(third.output()).not.toContain("API KEY");
      await third.stop();
    },
    timeout,
  );
});

/** Has the words of `unshare` bring up the loopback of the network that they make. */
function withLoopback(words: readonly string[]): string[] {
  const at = words.indexOf("chroot");
  const up = 'ip link set lo up && exec "$@"';
  return [...words.slice(0, at), "sh", "-c", up, "sh", ...words.slice(at)];
}

/** The process that the helpers below `parent` have started in the container. */
function findMaster(parent: number): number {
  const children = execFileSync("ps", ["-e", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const search = (pid: number): number | undefined => {
    for (const [own = "", above = "", ...words] of children) {
      if (Number(above) !== pid) continue;
      if (words.join(" ").endsWith("node /app/dist/main.js") && !words[0]?.startsWith("buildah"))
        return Number(own);
      const found = search(Number(own));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = search(parent);
  if (found === undefined) throw new Error("the master has ended by itself");
  return found;
}
