import { closestName } from "@nodepass/url-config";
import type { z } from "zod";
import { McpError } from "../mcp-error.ts";

const mostProblems = 5;
const longestValue = 120;

/**
 * Checks the arguments of a tool. Agents write numbers and booleans for texts: where only a text will
 * do, that is what they mean.
 *
 * @throws {McpError} `INVALID` with all that is wrong, and what is allowed
 */
export function readArguments<Input extends z.ZodObject>(
  tool: string,
  schema: Input,
  args: unknown,
): z.output<Input> {
  const result = schema.safeParse(args);
  if (result.success) return result.data;
  const mended = mendScalars(args, result.error);
  const again = mended === undefined ? result : schema.safeParse(mended);
  if (again.success) return again.data;
  const allowed = Object.keys(schema.shape);
  const problems = again.error.issues
    .slice(0, mostProblems)
    .flatMap((issue) => describe(issue, mended ?? args, allowed));
  throw new McpError("INVALID", `${tool}: ${problems.join("; ")}`);
}

/** The arguments with texts in place of the numbers and booleans that are refused for being none. */
function mendScalars(args: unknown, error: z.ZodError): unknown {
  if (typeof args !== "object" || args === null) return undefined;
  const mended: Record<string, unknown> = { ...args };
  let isMended = false;
  for (const issue of error.issues) {
    const [name, ...rest] = issue.path;
    if (typeof name !== "string" || rest.length > 0 || !wantsText(issue)) continue;
    const value = mended[name];
    if (typeof value !== "number" && typeof value !== "boolean") continue;
    mended[name] = String(value);
    isMended = true;
  }
  return isMended ? mended : undefined;
}

function wantsText(issue: z.core.$ZodIssue): boolean {
  return (
    (issue.code === "invalid_type" && issue.expected === "string") ||
    (issue.code === "invalid_value" && issue.values.every((value) => typeof value === "string"))
  );
}

function describe(issue: z.core.$ZodIssue, args: unknown, allowed: readonly string[]): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, mostProblems).map((key) => {
      const meant = closestName(key, allowed);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      const list = allowed.join(", ") || "none";
      return `${JSON.stringify(key.slice(0, longestValue))} is no argument (allowed: ${list})${hint}`;
    });
  }
  const name = issue.path.map(String).join(".").slice(0, longestValue) || "the arguments";
  const value = issue.path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    args,
  );
  if (value === undefined && issue.path.length > 0) return [`${name} is missing`];
  if (issue.code === "invalid_value") {
    return [`${name} ${shown(name, value)} is not valid (allowed: ${issue.values.join(", ")})`];
  }
  if (issue.code === "invalid_type") {
    return [`${name} ${shown(name, value)} is not valid (allowed: ${article(issue.expected)})`];
  }
  return [`${name} ${shown(name, value)}: ${issue.message}`];
}

function article(kind: string): string {
  return kind === "string" ? "a text" : /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** A value as messages may show it: short, and never a password. */
function shown(name: string, value: unknown): string {
  if (/password/i.test(name)) return "***";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
