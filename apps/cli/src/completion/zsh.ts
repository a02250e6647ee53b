import {
  type CompletionCommand,
  type CompletionOption,
  flattenCommands,
  optionForms,
} from "./command-tree.ts";

/** Writes the zsh script that completes `program`: to be sourced, or put into `$fpath`. */
export function formatZshCompletion(program: CompletionCommand): string {
  const name = program.name;
  const functions = flattenCommands(program).map(formatFunction(name));
  return `#compdef ${name}
# zsh completion for ${name}
${functions.join("\n")}
if [ "\${funcstack[1]}" = "_${name}" ]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

const formatFunction =
  (program: string) =>
  (command: CompletionCommand): string => {
    const name = functionName(program, command.path);
    const options = command.options.map((option) => formatOption(program, option));
    if (command.commands.length === 0) {
      const argument = quote(
        `*::argument:${formatValues(program, command.values, command.source)}`,
      );
      return `${name}() {\n  _arguments ${[...options, argument].join(" \\\n    ")}\n}`;
    }
    const list = command.commands.map(
      (each) => `        ${quote(`${each.name}:${each.description}`)}`,
    );
    const branches = command.commands.map(
      (each) => `        ${each.name}) ${functionName(program, each.path)} ;;`,
    );
    return `${name}() {
  local curcontext="$curcontext" state line
  local -a commands
  _arguments -C ${[...options, "'1:command:->command'", "'*::argument:->argument'"].join(" \\\n    ")}
  case "$state" in
    command)
      commands=(
${list.join("\n")}
      )
      _describe command commands
      ;;
    argument)
      case "\${words[1]}" in
${branches.join("\n")}
      esac
      ;;
  esac
}`;
  };

function functionName(program: string, path: string): string {
  return `_${program}${path.replaceAll("/", "_").replaceAll("-", "_")}`;
}

function formatOption(program: string, option: CompletionOption): string {
  const forms = optionForms(option);
  const exclusive = forms.length > 1 ? quote(`(${forms.join(" ")})`) : "";
  const names = forms.length > 1 ? `{${forms.join(",")}}` : forms.join("");
  const description = option.description.replace(/[[\]:\\]/g, "\\$&");
  const value = option.takesValue
    ? `:value:${formatValues(program, option.values, option.source)}`
    : "";
  return `${exclusive}${names}${quote(`[${description}]${value}`)}`;
}

function formatValues(
  program: string,
  values: readonly string[],
  source: string | undefined,
): string {
  if (source !== undefined) {
    return `{local -a names; names=(${"${(f)"}"$(${program} complete-names ${source} 2>/dev/null)"}); compadd -a names}`;
  }
  return values.length > 0 ? `(${values.join(" ")})` : " ";
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
