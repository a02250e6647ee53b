import { execFile, spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../../../../deploy/build-image-tree.sh", import.meta.url));

/** Nobody in particular: what systems without a container engine have for such cases. */
const nobody = 65_534;

/** Does what the Dockerfile's build stage does. */
export async function buildImageTree(folder: string): Promise<void> {
  await run("sh", [script, folder], { env: plainEnvironment(), maxBuffer: 2 ** 24 });
}

/**
 * The user to run the tree as: another one if this process may become one that can reach Node,
 * else `undefined`.
 */
export function otherUser(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { status } = spawnSync(process.execPath, ["--version"], { uid: nobody, gid: nobody });
  return status === 0 ? nobody : undefined;
}

/** Every file of a folder with what a write would change. */
export function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => {
      const { size, mtimeMs, mode } = statSync(join(folder, path));
      return `${path} ${size} ${mtimeMs} ${mode.toString(8)}`;
    })
    .sort();
}

/** The environment without what a pnpm that runs the tests adds, but with that pnpm. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept =
    /^npm_config_(?:registry|cache|userconfig|globalconfig|cafile|https_proxy|proxy|noproxy)$/i;
  const plain = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(?:npm|pnpm)_/i.test(name) || kept.test(name),
    ),
  );
  const pnpm = process.env.npm_execpath ?? "";
  if (/\s/.test(pnpm)) return plain;
  if (/pnpm(?:\.exe)?$/.test(pnpm)) return { ...plain, PNPM: pnpm };
  if (/pnpm[^/\\]*\.[cm]?js$/.test(pnpm)) return { ...plain, PNPM: `${process.execPath} ${pnpm}` };
  return plain;
}
