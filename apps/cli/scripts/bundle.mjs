/**
 * Makes `dist/`: the command with what it is made of, in few files; what package.json has under
 * `dependencies` is loaded from there. A module of Node's loader weighs 60 KB, and a tunnel's process
 * has 260 of them without this.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const folder = fileURLToPath(new URL("..", import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/**
 * `import` of a built-in evaluates all its exports, getters too: Node's WebCrypto, readline and more
 * for a hash and a file. Asking for the module leaves them where they are.
 */
const builtins = {
  name: "builtins",
  renderChunk(code) {
    const asked = code.replace(
      /^import (?:(\w[\w$]*)(?:, )?)?(?:\{ ([^}]*) \}|\* as (\w[\w$]*))? ?from "(node:[\w/]+)";$/gm,
      (_all, byDefault, names, whole, module) => {
        const found = `globalThis.process.getBuiltinModule("${module}");`;
        return [byDefault, whole, names && `{ ${names.replaceAll(" as ", ": ")} }`]
          .filter((left) => left !== undefined)
          .map((left) => `const ${left} = ${found}`)
          .join(" ");
      },
    );
    // Each line is where it was, so the map is still true.
    return { code: asked, map: null };
  },
};

/** A package of ours that finds its files beside its modules needs them where they are. */
const ownFiles = {
  name: "own-files",
  transform(code, id) {
    if (id.includes("/packages/") && /\bimport\.meta\.url\b/.test(uncommented(code))) {
      throw new Error(`${id} has files of its own: its package belongs under dependencies`);
    }
  },
};

function uncommented(code) {
  return code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

const isExternal = (id) =>
  Object.keys(dependencies).some((name) => id === name || id.startsWith(`${name}/`));

const bundle = await rolldown({
  cwd: folder,
  input: { main: "src/main.ts" },
  platform: "node",
  // Nothing here is said in one, and those of tests are not where an image is built.
  tsconfig: false,
  external: (id) => isExternal(id),
  plugins: [ownFiles, builtins],
});
// The names of files change with what is in them.
for (const name of readdirSync(join(folder, "dist"))) {
  if (/\.js(?:\.map)?$/.test(name)) rmSync(join(folder, "dist", name));
}
const { output } = await bundle.write({
  dir: "dist",
  chunkFileNames: "[name]-[hash].js",
  // What is said in the sources is there, and in the maps.
  comments: false,
  sourcemap: true,
  codeSplitting: {
    groups: [
      { name: "command", test: /apps\/cli\/src\/(?:cli|program|commands\/run)\.ts$/ },
      { name: "tunnel", test: /apps\/cli\/src\/tunnel\/|tunnel-core\/dist\/carrier\/tcp-carrier/ },
    ],
  },
});
await bundle.close();

const chunks = output.filter(({ type }) => type === "chunk");
for (const { fileName, code } of chunks) {
  if (/^import .*"node:/m.test(code)) throw new Error(`${fileName} imports a built-in`);
}
writeFileSync(join(folder, "dist/LICENSES.txt"), licences(chunks.flatMap((one) => one.moduleIds)));

/** The licences of the other packages whose code is in the files, each under its name. */
function licences(modules) {
  const roots = modules
    .filter((id) => id.includes("/node_modules/"))
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(roots)]
    .sort()
    .map((root) => {
      const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      const file = ["LICENSE", "LICENSE.md", "LICENCE", "license"]
        .map((one) => join(root, one))
        .find((one) => existsSync(one));
      if (file === undefined) throw new Error(`${name} has no licence file in ${dirname(root)}`);
      return `${name} ${version}\n\n${readFileSync(file, "utf8").trim()}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
