import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished, vi } from "vitest";
import {
  findNatsServer,
  NATS_SERVER_VERSION,
  startNatsServer,
} from "../test-support/nats-server.ts";

const support = (file: string) => new URL(`../test-support/${file}`, import.meta.url).href;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Evaluates a module's text in a process of its own. */
const evaluate = (text: string, env: NodeJS.ProcessEnv) =>
  promisify(execFile)(process.execPath, ["--input-type=module", "-e", text], {
    env: { ...process.env, ...env },
  });

it("names one version of nats-server everywhere", () => {
  const ci = readFileSync(`${root}/.ci/nats-server`, "utf8");
  expect(ci).toContain(`version=${NATS_SERVER_VERSION}\n`);
});

// Older ones need a build step for these files.
const readsTypeScript = Boolean(process.features.typescript);

it.skipIf(!readsTypeScript)(
  "says in one line why there is none, and is an error in continuous integration",
  async () => {
    const text = `import { findNatsServer } from ${JSON.stringify(support("find-nats-server.ts"))};
    console.log(findNatsServer());`;
    const gone = { NODEPASS_NATS_SERVER: "/nowhere/nats-server" };
    const reason = 'NODEPASS_NATS_SERVER is "/nowhere/nats-server", which cannot be run';
    expect((await evaluate(text, { ...gone, CI: "" })).stdout).toBe(
      `no nats-server, so the tests of a fleet are left out: ${reason}\nundefined\n`,
    );
    await expect(evaluate(text, { ...gone, CI: "true" })).rejects.toThrow(reason);
  },
);

it.skipIf(!readsTypeScript)(
  "a child dies with the process that was killed, one that was given up does not count",
  async () => {
    const text = `import { spawn } from "node:child_process";
    import { diesWithUs } from ${JSON.stringify(support("dies-with-us.ts"))};
    const start = () => { const child = spawn("sleep", ["600"]); diesWithUs(child); return child; };
    const [first, second] = [start(), start()];
    first.once("exit", () => console.log(second.pid));
    first.kill();
    setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", text], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void owner.kill("SIGKILL"));
    const [line] = await once(createInterface(owner.stdout), "line");
    const pid = Number(line);
    expect(process.kill(pid, 0)).toBe(true);
    owner.kill("SIGKILL");
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), {
      timeout: 20_000,
    });
  },
);

/** The server's first word to a client, or `undefined` if there is none within half a second. */
async function greeting(address: string): Promise<string | undefined> {
  const [host, port] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  try {
    const [word] = await once(socket, "data", { signal: AbortSignal.timeout(500) });
    return String(word).slice(0, 4);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

it.skipIf(findNatsServer() === undefined)(
  "a server is frozen and thawed, killed and started again at the same place, and leaves nothing",
  async () => {
    const server = await startNatsServer(
      ({ name, listen, dir }) =>
        `server_name: ${name}\nlisten: "${listen}"\njetstream: { store_dir: "${dir}" }`,
    );
    onTestFinished(() => server.close());
    const first = server.pid;
    await vi.waitFor(async () => expect(await greeting(server.url)).toBe("INFO"));
    server.freeze();
    expect(await greeting(server.url)).toBeUndefined();
    server.thaw();
    await vi.waitFor(async () => expect(await greeting(server.url)).toBe("INFO"));
    await server.kill();
    expect(server.pid).toBeUndefined();
    await server.restart();
    expect(server.pid).not.toBe(first);
    await vi.waitFor(async () => expect(await greeting(server.url)).toBe("INFO"));
    server.freeze();
    await server.stop();
    expect(existsSync(server.place.dir)).toBe(true);
    await server.close();
    expect(existsSync(server.place.dir)).toBe(false);
  },
);

it.skipIf(findNatsServer() === undefined)("a server that cannot start says why", async () => {
  await expect(startNatsServer(() => "listen: {")).rejects.toThrow(/has ended:/);
});
