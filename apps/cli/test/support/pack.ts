import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";

const run = promisify(execFile);

/** The folder of the workspace. */
export const workspaceFolder = fileURLToPath(new URL("../../../..", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly packageManager?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Folders of a package of the workspace and of those that it depends on, directly or not. */
export function workspaceClosure(name: string): string[] {
  const folders = new Map(
    ["packages", "apps"].flatMap((parent) =>
      readdirSync(join(workspaceFolder, parent)).map((each): [string, string] => {
        const folder = join(workspaceFolder, parent, each);
        return [readManifest(folder).name, folder];
      }),
    ),
  );
  const found = new Set<string>();
  const visit = (each: string) => {
    const folder = folders.get(each);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    Object.keys(readManifest(folder).dependencies ?? {}).forEach(visit);
  };
  visit(name);
  return [...found];
}

/** Packs packages as they are published, with pnpm: it turns `workspace:` into versions. */
export async function packAll(folders: readonly string[], destination: string): Promise<string[]> {
  const [command, ...argv] = findPnpm();
  // All by one run: to start is most of what each would take.
  const which = folders.flatMap((folder) => ["--filter", `./${relative(workspaceFolder, folder)}`]);
  argv.push("--recursive", ...which, "pack", "--pack-destination", destination);
  await run(command, argv, { cwd: workspaceFolder, maxBuffer: 2 ** 24 });
  return readdirSync(destination)
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => join(destination, name));
}

/** The pnpm that started the tests, else the workspace's own through npx. */
function findPnpm(): [string, ...string[]] {
  const path = process.env.npm_execpath ?? "";
  if (/pnpm[^/\\]*\.[cm]?js$/.test(path)) return [process.execPath, path];
  if (/pnpm(?:\.exe)?$/.test(path)) return [path];
  const { packageManager } = readManifest(workspaceFolder);
  return ["npx", "--yes", packageManager ?? "pnpm"];
}

/** npm waits five minutes for a registry that does not answer, in silence. */
const installTimeoutMs = 240_000;

/** Installs tarballs into an empty folder with npm, as a user would. */
export async function installWithNpm(folder: string, tarballs: readonly string[]): Promise<void> {
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  // The npm that the tests were started with knows its user's registry and certificates; under
  // another Node it would not find them.
  const [command = "npm", ...first] = (process.env.NODEPASS_NPM ?? "npm").split("\n");
  const argv = [...first, "install", ...flags, ...tarballs];
  await run(command, argv, { cwd: folder, env: plainEnvironment(), timeout: installTimeoutMs });
}

/** The environment without what pnpm's scripts add: settings that npm would read as its own. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept =
    /^npm_config_(?:registry|cache|userconfig|globalconfig|cafile|https_proxy|proxy|noproxy)$/i;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(?:npm|pnpm)_/i.test(name) || kept.test(name),
    ),
  );
}

/** A package that npm has installed, as it wrote down itself. */
export interface Installed {
  readonly path: string;
  readonly hasInstallScript: boolean;
}

/** What npm has installed in a folder: packages and files. */
export function installedIn(folder: string): { packages: Installed[]; files: string[] } {
  const modules = join(folder, "node_modules");
  const lock: unknown = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8"));
  const entries = (lock as { packages: Record<string, { hasInstallScript?: boolean }> }).packages;
  return {
    packages: Object.entries(entries).map(([path, { hasInstallScript = false }]) => ({
      path,
      hasInstallScript,
    })),
    files: readdirSync(modules, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  };
}

/** Fails if anything that npm has installed is native, or runs at the installation. */
export function expectPlain({ packages, files }: ReturnType<typeof installedIn>): void {
  expect(packages.filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
  expect(packages.map(({ path }) => path)).not.toContain("node_modules/msgpackr-extract");
  expect(files.filter((file) => /\.node$|binding\.gyp$/.test(file))).toEqual([]);
}
