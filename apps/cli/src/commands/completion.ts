import { Argument, type Command } from "commander";
import { type CompletionSource, completionSources } from "../completion/command-tree.ts";
import {
  type CompletionShell,
  completionShells,
  formatCompletion,
} from "../completion/format-completion.ts";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";

const installation = (command: string) => `
Put it where the shell finds it:
  bash  ${command} completion bash > ~/.local/share/bash-completion/completions/nodepass
  zsh   ${command} completion zsh > "\${fpath[1]}/_nodepass"
  fish  ${command} completion fish > ~/.config/fish/completions/nodepass.fish
or, for one session of bash or zsh:
  source <(${command} completion bash)
`;

/** Adds `nodepass completion`: a script for a shell, made from the program as it is. */
export function addCompletionCommand(program: Command, context: CliContext): void {
  addNamesCommand(program, context);
  program
    .command("completion")
    .description("print a script that completes this command in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(completionShells))
    .addHelpText("after", installation(commandName(context.environment)))
    .action(async (shell: CompletionShell) => {
      const { toCommandTree } = await import("../completion/command-tree.ts");
      const tree = toCommandTree(program);
      context.stdout.write(await formatCompletion(shell, tree));
    });
}

/** Adds the hidden command that the scripts ask for names; it says nothing rather than an error. */
function addNamesCommand(program: Command, context: CliContext): void {
  const names = program
    .command("complete-names", { hidden: true })
    .addArgument(new Argument("<source>", "which names").choices(completionSources));
  addRemoteOptions(names)
    .setOptionValue("timeout", namesTimeoutMs)
    .action(async (source: CompletionSource, options: RemoteOptions) => {
      const { listNames } = await import("../completion/list-names.ts");
      const found = await listNames(context, source, options);
      context.stdout.write(found.map((name) => `${name}\n`).join(""));
    });
}

/** People wait at the prompt. */
const namesTimeoutMs = 2000;
