// Leaves in a deployed folder what its program can load, and no more:
//
//   node --experimental-import-meta-resolve deploy/prune-tree.mjs <folder>
//
// Of our own packages that is all of `dist` but declarations and maps. Of the others it is what the
// imports lead to, found by Node's own resolution (the flag lets it be asked for another file), with
// licences; a package that loads something by a computed name keeps all its code.
import {
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = realpathSync(process.argv[2] ?? "");
const inside = `${sep}node_modules${sep}`;
const imports = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g;
const requires = /\brequire\s*\(\s*["']([^"'\n]+)["']\s*\)/g;
const computed = /(?:\brequire|\bimport)\s*\(\s*(?!["')]|\/\*)[\w$`]/;
const code = /\.[cm]?js$|\.json$|\.node$|\.wasm$/;

function listFiles(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return [];
    return stats.isDirectory() ? listFiles(path) : [path];
  });
}

/** The folder of the package that a file belongs to. */
function packageOf(file) {
  const at = file.lastIndexOf(inside);
  if (at < root.length) return root;
  const [first, second] = file.slice(at + inside.length).split(sep);
  const name = first.startsWith("@") ? join(first, second) : first;
  return file.slice(0, at + inside.length) + name;
}

function isOurs(folder) {
  return folder === root || /[\\/]@nodepass[\\/][^\\/]+$/.test(folder);
}

function* loadedBy(file) {
  const text = readFileSync(file, "utf8");
  const from = pathToFileURL(file);
  const require = createRequire(from);
  for (const [, name] of text.matchAll(imports)) {
    yield* found(name, () => fileURLToPath(import.meta.resolve(name, from)));
  }
  for (const [, name] of text.matchAll(requires)) yield* found(name, () => require.resolve(name));
  // Else a bundle's own loader: "require" is a parameter there, and leads nowhere new.
  if (computed.test(text)) yield undefined;
}

function* found(name, resolve) {
  if (isBuiltin(name)) return;
  try {
    yield realpathSync(resolve());
  } catch {
    // In a comment or a text, or an optional part that is not installed.
  }
}

const all = listFiles(root);
const byPackage = Map.groupBy(all, packageOf);
const kept = new Set();
const waiting = all.filter(
  (file) => isOurs(packageOf(file)) && file.startsWith(join(packageOf(file), "dist")),
);
const whole = new Set();
while (waiting.length > 0) {
  const file = waiting.pop();
  if (kept.has(file) || /\.(?:[cm]?ts|map|tsbuildinfo)$/.test(file)) continue;
  kept.add(file);
  if (!/\.[cm]?js$/.test(file)) continue;
  const folder = packageOf(file);
  for (const next of loadedBy(file)) {
    if (next !== undefined) waiting.push(next);
    else if (!isOurs(folder) && !whole.has(folder)) {
      whole.add(folder);
      waiting.push(
        ...(byPackage.get(folder) ?? []).filter(
          (each) => code.test(each) && !/[\\/]tests?[\\/]/.test(each),
        ),
      );
    }
  }
}

for (const [folder, files] of byPackage) {
  const used = files.some((file) => kept.has(file));
  for (const file of files) {
    const name = file.slice(folder.length + 1);
    const belongs = /(?:^|[\\/])package\.json$/.test(name) || /^(?:LICEN[CS]E|NOTICE)/i.test(name);
    if (!kept.has(file) && !(used && belongs)) rmSync(file);
  }
}
// A link may come before the folder that it leads to, and go when that is gone.
while (sweep(root) > 0);

/** Removes links that lead nowhere and folders with nothing in them. @returns how many */
function sweep(folder) {
  let removed = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) removed += sweep(path);
    else if (stats.isSymbolicLink() && statSync(path, { throwIfNoEntry: false }) === undefined) {
      unlinkSync(path);
      removed += 1;
    }
  }
  if (readdirSync(folder).length > 0) return removed;
  rmdirSync(folder);
  return removed + 1;
}
