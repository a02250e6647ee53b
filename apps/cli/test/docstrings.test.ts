import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createContext, runInContext } from "node:vm";
import * as urlConfig from "@nodepass/url-config";
import { describe, expect, it, test } from "vitest";
import { workspaceFolder } from "./support/pack.ts";

interface Export {
  readonly name: string;
  /** `function`, `class`, `interface`, `type` or `const`. */
  readonly kind: string;
  readonly docstring: string;
}

/** What a package's index names, as its sources declare it; what comes from another package is left out. */
function listExports(packageName: string, { internal = true } = {}): Export[] {
  const index = join(workspaceFolder, "packages", packageName, "src/index.ts");
  const text = readFileSync(index, "utf8");
  const [published = ""] = text.split(/^\/\/ Internal to the workspace/m);
  const lists = (internal ? text : published).matchAll(
    /^export (?:type )?\{([^}]*)\} from "(\.[^"]+)";/gm,
  );
  return Array.from(lists).flatMap(([, names = "", from = ""]) => {
    const text = readFileSync(join(dirname(index), from), "utf8");
    return names
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== "" && !reExports(text).includes(name))
      .map((name) => declarationOf(name, text));
  });
}

function reExports(text: string): string[] {
  const lists = text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm);
  return Array.from(lists).flatMap(([, names = ""]) => names.split(",").map((one) => one.trim()));
}

function declarationOf(name: string, text: string): Export {
  const pattern = `^export (?:abstract )?(?:async )?(function|class|interface|type|const) ${name}\\b`;
  const found = new RegExp(pattern, "m").exec(text);
  if (found === null) throw new Error(`no declaration of ${name}`);
  const before = `\n${text.slice(0, found.index).trimEnd()}`;
  const docstring = before.endsWith("*/") ? before.slice(before.lastIndexOf("\n/**")) : "";
  // What is read by a schema is said at the schema.
  const [, schema] =
    /^ = z\.infer<typeof (\w+)>/.exec(text.slice(found.index + found[0].length)) ?? [];
  if (docstring === "" && schema !== undefined) return { ...declarationOf(schema, text), name };
  return { name, kind: found[1] ?? "", docstring };
}

const exampleOf = ({ docstring }: Export): string | undefined =>
  /@example\n((?: \*(?! @).*\n)+)/
    .exec(docstring)?.[1]
    ?.replaceAll(/^ \* ?/gm, "")
    .trim();

test.each(readdirSync(`${workspaceFolder}/packages`))(
  "packages/%s says what each export is",
  (name) => {
    const bare = listExports(name).filter(({ docstring }) => docstring === "");
    expect(bare.map((each) => each.name)).toEqual([]);
  },
);

const forPrograms = ["url-config", "tunnel-core", "config-file", "master-client", "master-server"];

test.each(forPrograms)("packages/%s shows how each function is called", (name) => {
  const functions = listExports(name, { internal: false }).filter(
    ({ kind }) => kind === "function",
  );
  expect(functions.length).toBeGreaterThan(2);
  const without = functions.filter(
    (each) => !new RegExp(`\\b${each.name}\\(`).test(exampleOf(each) ?? ""),
  );
  expect(without.map((each) => each.name)).toEqual([]);
});

describe("the examples of url-config are true", () => {
  const examples = listExports("url-config").flatMap((each) => exampleOf(each)?.split("\n") ?? []);
  const context = createContext({ ...urlConfig });

  it.each(examples)("%s", (example) => {
    const [, expression = "", value = ""] = /^(.*); \/\/ (.*)$/.exec(example) ?? [];
    const found: unknown = runInContext(expression, context);
    expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(value));
  });
});
