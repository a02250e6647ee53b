import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const packages = new URL("../../", import.meta.url);
const require = createRequire(import.meta.url);

/** Where an import of ours leads: sources for packages of the workspace, files for others. */
function resolve(specifier: string, from: URL): URL {
  if (specifier.startsWith(".")) return new URL(specifier, from);
  const [, name, entry] = /^@nodepass\/([\w-]+)(?:\/([\w-]+))?$/.exec(specifier) ?? [];
  if (name === undefined) return pathToFileURL(require.resolve(specifier));
  return new URL(`${name}/src/${entry === undefined ? "" : `${entry}/`}index.ts`, packages);
}

/** Every module that the entry loads, and what each of them imports. */
function modulesOf(entry: URL): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const waiting = [entry];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (found.has(url.href)) continue;
    const code = readFileSync(url, "utf8");
    const statements = code.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s*"([^"]+)"/gm);
    const specifiers = [...statements].map(([, specifier = ""]) => specifier);
    found.set(url.href, specifiers);
    const own = specifiers.filter((specifier) => /^(?:\.|@nodepass\/)/.test(specifier));
    waiting.push(...own.map((specifier) => resolve(specifier, url)));
  }
  return found;
}

const entries = ["index.ts", "fleet/index.ts"].map(
  (name) => new URL(`master-client/src/${name}`, packages),
);

test.each(entries)("%s loads nothing of Node, here or in what it imports", (entry) => {
  const modules = modulesOf(entry);
  expect(modules.size).toBeGreaterThan(10);
  const ofNode = [...modules].filter(([, specifiers]) =>
    specifiers.some((specifier) => specifier.startsWith("node:")),
  );
  expect(ofNode.map(([url]) => fileURLToPath(url))).toEqual([]);
});

test.each(entries)("%s uses no globals that only Node has", (entry) => {
  for (const url of modulesOf(entry).keys()) {
    const code = readFileSync(new URL(url), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(code, url).not.toMatch(/\b(?:Buffer|process|setImmediate|require)\b\s*[.(]/);
  }
});
