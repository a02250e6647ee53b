import { type CompletionCommand, type CompletionOption, flattenCommands } from "./command-tree.ts";

/** Writes the fish script that completes `program`. */
export function formatFishCompletion(program: CompletionCommand): string {
  const name = program.name;
  const ask = (source: string) => quote(`(${name} complete-names ${source} 2>/dev/null)`);
  const at = `__${name}_at`;
  const commands = flattenCommands(program);
  const steps = commands
    .filter((command) => command !== program)
    .map((command) => `      case ${quote(command.path)}\n        set path ${quote(command.path)}`);
  const completions = commands.flatMap((command) => {
    const start = `complete -c ${name} -n ${quote(`${at} ${quote(command.path)}`)}`;
    return [
      ...command.commands.map(
        (each) => `${start} -a ${quote(each.name)} -d ${quote(each.description)}`,
      ),
      ...command.values.map((value) => `${start} -a ${quote(value)}`),
      ...(command.source === undefined ? [] : [`${start} -a ${ask(command.source)}`]),
      ...command.options.map((option) => `${start}${formatOption(option, ask)}`),
    ];
  });
  return `# fish completion for ${name}
function ${at} --description 'whether the command line has come to this command'
  set -l path ''
  set -l words (commandline -opc)
  for word in $words[2..-1]
    switch "$path/$word"
${steps.join("\n")}
    end
  end
  test "$path" = "$argv[1]"
end
complete -c ${name} -f
${completions.join("\n")}
`;
}

function formatOption(option: CompletionOption, ask: (source: string) => string): string {
  const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
  const long = option.long === undefined ? "" : ` -l ${option.long.slice(2)}`;
  const value = option.takesValue ? " -x" : "";
  if (option.source !== undefined) {
    return `${short}${long} -x -a ${ask(option.source)} -d ${quote(option.description)}`;
  }
  const values = option.values.length > 0 ? ` -a ${quote(option.values.join(" "))}` : "";
  return `${short}${long}${value}${values} -d ${quote(option.description)}`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
