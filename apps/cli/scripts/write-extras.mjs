// Writes what the package brings beside the program, from the sources of the program: the manual page
// (npm puts it where man looks) and the completions, for who packs it for a system.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

// What dist/ has are few files with none of these names: they are made once more, for this alone, in a
// folder beside it, from where package.json is found as from there.
const built = new URL("../.extras/", import.meta.url);
const names = ["completion/command-tree", "completion/format-completion", "man/man-page"];
const bundle = await rolldown({
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  input: Object.fromEntries(
    [...names, "program", "version"].map((name) => [name, `src/${name}.ts`]),
  ),
  platform: "node",
  tsconfig: false,
  external: (id) => !id.startsWith(".") && !isAbsolute(id) && !id.startsWith("src/"),
});
await bundle.write({ dir: fileURLToPath(built) });
await bundle.close();
const load = (name) => import(new URL(`${name}.js`, built));
const { toCommandTree } = await load("completion/command-tree");
const { formatCompletion } = await load("completion/format-completion");
const { formatManPage } = await load("man/man-page");
const { createProgram, examples } = await load("program");
const { readVersion } = await load("version");

// As systems have it: the folder goes to /usr.
const share = new URL("../dist/share/", import.meta.url);
const write = (path, text) => {
  const file = new URL(path, share);
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
};
// Nothing is run: what a command does with its surroundings is of no matter.
const program = await createProgram({ argv: [], environment: {}, stdout: {}, stderr: {} });
write("man/man1/nodepass.1", formatManPage(program, readVersion(), examples("nodepass")));
const tree = toCommandTree(program);
write("bash-completion/completions/nodepass", await formatCompletion("bash", tree));
write("zsh/site-functions/_nodepass", await formatCompletion("zsh", tree));
write("fish/vendor_completions.d/nodepass.fish", await formatCompletion("fish", tree));
rmSync(built, { recursive: true });
