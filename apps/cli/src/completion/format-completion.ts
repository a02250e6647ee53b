import type { CompletionCommand } from "./command-tree.ts";

/** Shells that there are scripts for. */
export const completionShells = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof completionShells)[number];

/** Writes the script that completes `program` in a shell. */
export async function formatCompletion(
  shell: CompletionShell,
  program: CompletionCommand,
): Promise<string> {
  switch (shell) {
    case "bash":
      return (await import("./bash.ts")).formatBashCompletion(program);
    case "zsh":
      return (await import("./zsh.ts")).formatZshCompletion(program);
    case "fish":
      return (await import("./fish.ts")).formatFishCompletion(program);
  }
}
