import type { ConfigPath, SourceFile } from "./source-file.ts";

/** `${NAME}` or `${NAME:-text}`; `$${` stands for `${`. */
const REFERENCE = /\$(\$)?\{([^}]*)\}/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/** Most nesting of a configuration; it needs four. */
const MAX_DEPTH = 16;

/** A copy of `value` with the environment's values in its texts. Keys of maps are left as they are. */
export function interpolate(
  value: unknown,
  source: SourceFile,
  environment: Readonly<Record<string, string | undefined>>,
  path: ConfigPath = [],
): unknown {
  if (typeof value === "string") return fill(value, source, environment, path);
  if (path.length > MAX_DEPTH) {
    source.fail(path, `values are nested deeper than ${MAX_DEPTH}`);
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => interpolate(item, source, environment, [...path, index]));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      interpolate(item, source, environment, [...path, key]),
    ]),
  );
}

function fill(
  text: string,
  source: SourceFile,
  environment: Readonly<Record<string, string | undefined>>,
  path: ConfigPath,
): string {
  return text.replace(REFERENCE, (whole, escaped: string | undefined, inner: string) => {
    if (escaped !== undefined) return whole.slice(1);
    const [, name, fallback] = NAME.exec(inner) ?? [];
    if (name === undefined) {
      source.fail(path, `"${whole}" names no variable (allowed: \${NAME} or \${NAME:-text})`);
      return "";
    }
    const value = environment[name];
    // An empty variable is as good as none, as in a shell's `:-`.
    if (value !== undefined && value !== "") return value;
    if (fallback !== undefined) return fallback;
    source.fail(path, `the environment variable ${name} is not set`);
    return "";
  });
}
