import { closestName } from "@nodepass/url-config";
import type { z } from "zod";
import {
  ADDRESS_FORM,
  clientSchema,
  configSchema,
  pairSchema,
  serverSchema,
  urlSchema,
} from "./config-schema.ts";
import type { ConfigPath, SourceFile } from "./source-file.ts";
import { NAME_FORM } from "./tunnel-name.ts";

type Issue = z.core.$ZodIssue;

/** A file's content, checked. */
export type CheckedConfig = z.infer<typeof configSchema>;

/**
 * Checks the structure of a file; what is wrong goes into the source's problems.
 *
 * @returns the checked content; `undefined` if something is wrong
 */
export function checkShape(value: unknown, source: SourceFile): CheckedConfig | undefined {
  const result = configSchema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, [], value, source);
  return undefined;
}

function report(issue: Issue, base: ConfigPath, root: unknown, source: SourceFile): void {
  const path: ConfigPath = [
    ...base,
    ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step)),
  ];
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys)
      source.fail([...path, key], `"${key}" is unknown here${allowed(key, path, root)}`);
    return;
  }
  if (issue.code === "invalid_key") {
    const name = String(path.at(-1) ?? "");
    source.fail(path, `the name ${JSON.stringify(name)} is not valid (allowed: ${NAME_FORM})`);
    return;
  }
  if (issue.code === "invalid_union" && path.length === 2 && path[0] === "tunnels") {
    reportEntry(path, root, source);
    return;
  }
  const shown = issue.input === undefined ? valueAt(root, path) : issue.input;
  const given = shown === undefined ? "is missing" : `${JSON.stringify(shown)} is not valid`;
  source.fail(path, `${given} (allowed: ${expected(issue, path)})`);
}

/** The kinds of entries, by the field that tells them apart. */
const ENTRIES = { server: serverSchema, client: clientSchema, url: urlSchema, pair: pairSchema };

/** An entry is a server's or a client's by its first field; a union's own message names neither. */
function reportEntry(path: ConfigPath, root: unknown, source: SourceFile): void {
  const entry = valueAt(root, path);
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    source.fail(
      path,
      `${JSON.stringify(entry)} is not valid (allowed: a URL, or a map with server, client, url or pair)`,
    );
    return;
  }
  const kinds = Object.entries(ENTRIES).filter(([kind]) => kind in entry);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const given = kinds.map(([name]) => name).join(" and ");
    const fault = given === "" ? "says not what it is" : `is ${given} at once`;
    source.fail(path, `it ${fault} (allowed: one of ${Object.keys(ENTRIES).join(", ")})`);
    return;
  }
  const checked = kind[1].safeParse(entry);
  for (const issue of checked.error?.issues ?? []) report(issue, path, root, source);
}

function allowed(name: string, path: ConfigPath, root: unknown): string {
  const names = fieldsAt(path, root);
  if (names === undefined) return "";
  const meant = closestName(name, names);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return `${hint} (allowed: ${names.join(", ")})`;
}

function fieldsAt(path: ConfigPath, root: unknown): readonly string[] | undefined {
  if (path.length === 0) return Object.keys(configSchema.shape);
  if (path[0] === "master") return Object.keys(configSchema.shape.master.unwrap().shape);
  if (path[0] === "defaults") return Object.keys(configSchema.shape.defaults.unwrap().shape);
  const entry = valueAt(root, path);
  if (typeof entry !== "object" || entry === null) return undefined;
  if (path[0] === "tunnels" && path[2] === "pair") return fieldsOfPair(path);
  const kind = Object.entries(ENTRIES).find(([name]) => name in entry);
  return kind === undefined ? undefined : Object.keys(kind[1].shape);
}

function fieldsOfPair([, , , end]: ConfigPath): readonly string[] {
  const { pair } = pairSchema.shape;
  if (end === "server" || end === "client") return Object.keys(pair.shape[end].shape);
  return Object.keys(pair.shape);
}

function expected(issue: Issue, path: ConfigPath): string {
  const field = path.at(-1);
  if (field === "on") return "a master's name or mid, in quotes where it looks like a number";
  if (field === "target") return `${ADDRESS_FORM}; several in a list`;
  if ((field === "server" || field === "client") && path[2] !== "pair") return ADDRESS_FORM;
  if (issue.code === "invalid_type")
    return ["record", "object"].includes(issue.expected) ? "a map" : issue.expected;
  if (issue.code === "invalid_value") return issue.values.join(", ");
  if (issue.code === "invalid_union") return "text, a number, true or false";
  return issue.message;
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
