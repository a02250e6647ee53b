import { type CompletionCommand, flattenCommands, optionForms } from "./command-tree.ts";

/** Writes the bash script that completes `program`; works with the bash 3.2 of macOS. */
export function formatBashCompletion(program: CompletionCommand): string {
  const name = program.name;
  const ask = (source: string | undefined) =>
    source === undefined ? "" : `; words="$words $(${name} complete-names ${source} 2>/dev/null)"`;
  const commands = flattenCommands(program);
  const steps = commands
    .filter((command) => command !== program)
    .map((command) => `      ${quote(command.path)}) path=${quote(command.path)} ;;`);
  const values = commands.flatMap((command) =>
    command.options
      .filter((option) => option.takesValue)
      .map((option) => {
        const patterns = optionForms(option).map((form) => quote(`${command.path}:${form}`));
        return `    ${patterns.join("|")}) words=${quote(option.values.join(" "))}${ask(option.source)} ;;`;
      }),
  );
  const words = commands.map((command) => {
    const all = [
      ...command.commands.map((each) => each.name),
      ...command.values,
      ...command.options.flatMap(optionForms),
    ];
    return `        ${quote(command.path)}) words=${quote(all.join(" "))}${ask(command.source)} ;;`;
  });
  return `# bash completion for ${name}
_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}"
  local path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path/\${COMP_WORDS[i]}" in
${steps.join("\n")}
    esac
  done
  case "$path:$prev" in
${values.join("\n")}
    *)
      case "$path" in
${words.join("\n")}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _${name} ${name}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
