import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, "utf8");
}

const manifests: readonly Manifest[] = ["packages", "apps"].flatMap((folder) =>
  readdirSync(`${ROOT}${folder}`).map((name) => JSON.parse(read(`${folder}/${name}/package.json`))),
);
const workspace = read("pnpm-workspace.yaml");
const lockfile = read("pnpm-lock.yaml");

test("no install script of a dependency may run", () => {
  const builds = /^allowBuilds:\n((?: {2}.+\n)+)/m.exec(workspace)?.[1] ?? "";
  const allowed = [...builds.matchAll(/^ {2}("?)([^\n]+?)\1: (\S+)$/gm)];
  expect(allowed.length).toBeGreaterThan(0);
  for (const [, , name, allow] of allowed) expect(`${name} ${allow}`).toBe(`${name} false`);
  expect(workspace).not.toMatch(/dangerouslyAllowAllBuilds|onlyBuiltDependencies/);
});

test("every dependency is pinned in the lockfile by a hash", () => {
  const resolutions = lockfile.match(/^ {4}resolution: .*$/gm) ?? [];
  expect(resolutions.length).toBeGreaterThan(50);
  for (const resolution of resolutions) expect(resolution).toMatch(/integrity: sha512-/);
});

describe.each(manifests.filter((manifest) => manifest.private !== true))("$name", (manifest) => {
  test("is published with provenance", () => {
    expect(manifest.publishConfig).toMatchObject({ provenance: true });
  });

  test("runs nothing when it is installed", () => {
    const names = Object.keys(manifest.scripts ?? {});
    const hooks = ["preinstall", "install", "postinstall", "prepare"];
    expect(names.filter((name) => hooks.includes(name))).toEqual([]);
  });

  test("takes its dependencies from the registry or this repository only", () => {
    for (const [name, version] of Object.entries(manifest.dependencies ?? {})) {
      expect(`${name} ${version}`).toMatch(/ (workspace:\^|catalog:|\d+\.\d+\.\d+)$/);
    }
  });
});
