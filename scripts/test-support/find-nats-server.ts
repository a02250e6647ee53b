import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The one that the fleet is tried with; docs/fleet.md names it, too. */
export const NATS_SERVER_VERSION = "2.15.2";
const PROGRAM = process.platform === "win32" ? "nats-server.exe" : "nats-server";
/** First use on a machine compiles it: 20 to 80 s on two cores, more where others work. */
const INSTALL_LIMIT_MS = 600_000;

const cache = fileURLToPath(
  new URL(`../../node_modules/.cache/nodepass/nats-server-${NATS_SERVER_VERSION}`, import.meta.url),
);

let found: { path: string } | { missing: string } | undefined;

/**
 * The path of a nats-server: `NODEPASS_NATS_SERVER`, on `PATH`, where Go installs, in the cache
 * of this checkout, or installed there now by Go, once for all test files.
 *
 * @returns `undefined` if there is none, after one line that says why: the tests are left out
 * @throws in continuous integration (`CI`), where none may be left out
 */
export function findNatsServer(): string | undefined {
  found ??= find();
  if ("path" in found) return found.path;
  const line = `no nats-server, so the tests of a fleet are left out: ${found.missing}`;
  const { CI } = process.env;
  if (CI !== undefined && CI !== "" && CI !== "false") throw new Error(line);
  console.log(line);
  return undefined;
}

function find(): { path: string } | { missing: string } {
  const { NODEPASS_NATS_SERVER: chosen, PATH = "" } = process.env;
  if (chosen !== undefined && chosen !== "") {
    if (canRun(chosen)) return { path: chosen };
    return { missing: `NODEPASS_NATS_SERVER is "${chosen}", which cannot be run` };
  }
  const cached = join(cache, PROGRAM);
  if (canRun(cached)) return { path: cached };
  const go = ["/usr/local/go/bin", "/usr/lib/go/bin"].reduce(
    (known, folder) => known ?? runnableIn(folder, "go"),
    firstOnPath(PATH, "go"),
  );
  const onPath = firstOnPath(PATH, PROGRAM);
  const installed = go === undefined ? undefined : runnableIn(join(goPath(go), "bin"), PROGRAM);
  for (const path of [onPath, installed]) {
    // Another one may be too old for what is tried (Debian's is), or too new to be known.
    if (path !== undefined && versionOf(path) === NATS_SERVER_VERSION) return { path };
  }
  if (go === undefined) return { missing: "Go, which would build it, is not here" };
  return install(go, cached);
}

/** Two at once would build it twice: one does, the others wait for it. */
function install(go: string, cached: string): { path: string } | { missing: string } {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, "lock");
  const deadline = Date.now() + INSTALL_LIMIT_MS;
  while (!takeLock(lock)) {
    if (canRun(cached)) return { path: cached };
    if (Date.now() > deadline) return { missing: `another run holds ${lock}` };
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  try {
    if (canRun(cached)) return { path: cached };
    const module = `github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}`;
    const { status, stderr, error } = spawnSync(go, ["install", "-trimpath", module], {
      env: { ...process.env, GOBIN: cache, CGO_ENABLED: "0", GOFLAGS: "" },
      timeout: INSTALL_LIMIT_MS,
      encoding: "utf8",
    });
    if (status === 0 && canRun(cached)) return { path: cached };
    const said = stderr?.trim().split("\n").at(-1) ?? "";
    return { missing: `go install ${module} failed: ${error?.message ?? said}` };
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    if (isHeld(lock)) return false;
    rmSync(lock, { force: true });
    return takeLock(lock);
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    // Not written yet, or given back just now.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function goPath(go: string): string {
  return spawnSync(go, ["env", "GOPATH"], { encoding: "utf8" }).stdout?.trim() ?? "";
}

function versionOf(path: string): string | undefined {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return /v(\d+\.\d+\.\d+)/.exec(stdout ?? "")?.[1];
}

function firstOnPath(path: string, program: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const there = runnableIn(folder, program);
    if (there !== undefined) return there;
  }
  return undefined;
}

function runnableIn(folder: string, program: string): string | undefined {
  const path = join(folder, program);
  return folder !== "" && canRun(path) ? path : undefined;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
