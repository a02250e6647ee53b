import { readFileSync } from "node:fs";
import { workspaceFolder } from "./pack.ts";

/** A command of a document. */
export interface DocumentCommand {
  /** As it stands there. */
  readonly line: string;
  /** Its words, without quotes and comment. */
  readonly words: readonly string[];
}

/** The commands of a document, by the headings that they stand under, in their order. */
export function commandsOf(document: string): ReadonlyMap<string, readonly DocumentCommand[]> {
  const text = readFileSync(`${workspaceFolder}/docs/${document}`, "utf8");
  const sections = text.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [heading = ""] = section.split("\n");
      const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
      const lines = blocks.join("").trim().split("\n");
      return [heading, lines.filter((line) => line !== "").map(readCommand)];
    }),
  );
}

/** A YAML file of a document: the block that begins with its name. */
export function yamlOf(document: string, name: string): string {
  const text = readFileSync(`${workspaceFolder}/docs/${document}`, "utf8");
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml = ""]) => yaml);
  const found = blocks.find((yaml) => yaml.startsWith(`# ${name}\n`));
  if (found === undefined) throw new Error(`${document} has no ${name}`);
  return found;
}

function readCommand(line: string): DocumentCommand {
  const words = [...line.matchAll(/#.*$|"([^"]*)"|'([^']*)'|(\S+)/g)].flatMap(
    ([, double, single, plain]) => double ?? single ?? plain ?? [],
  );
  return { line, words };
}
