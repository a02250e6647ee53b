// Writes what the package brings beside the program, from the program as it has been built: the manual
// page (npm puts it where man looks) and the completions, for who packs it for a system.
import { mkdirSync, writeFileSync } from "node:fs";
import { toCommandTree } from "../dist/completion/command-tree.js";
import { formatCompletion } from "../dist/completion/format-completion.js";
import { formatManPage } from "../dist/man/man-page.js";
import { createProgram, examples } from "../dist/program.js";
import { readVersion } from "../dist/version.js";

// As systems have it: the folder goes to /usr.
const share = new URL("../dist/share/", import.meta.url);
const write = (path, text) => {
  const file = new URL(path, share);
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
};
// Nothing is run: what a command does with its surroundings is of no matter.
const program = createProgram({ argv: [], environment: {}, stdout: {}, stderr: {} });
write("man/man1/nodepass.1", formatManPage(program, readVersion(), examples("nodepass")));
const tree = toCommandTree(program);
write("bash-completion/completions/nodepass", await formatCompletion("bash", tree));
write("zsh/site-functions/_nodepass", await formatCompletion("zsh", tree));
write("fish/vendor_completions.d/nodepass.fish", await formatCompletion("fish", tree));
