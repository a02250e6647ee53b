import { closestName } from "./closest-name.ts";
import type { Findings } from "./findings.ts";
import { type ParameterDefinition, parameters, type Scheme } from "./parameters.ts";
import { redacted, shownName, shownValue } from "./redact.ts";
import { type UrlProblem, urlProblem } from "./url-problem.ts";

/** Gives the value of one parameter after the other. */
export interface QueryReader {
  /** The value, its default, or (where the URL lacks it or has none that is good) `inherited`. */
  read<T>(definition: ParameterDefinition<T>, inherited?: T | undefined): T;
}

/** Enough for every parameter and what other programs add; each unknown one costs a search. */
const mostPairs = 256;

const definitions: ReadonlyMap<string, ParameterDefinition<unknown>> = new Map(
  Object.entries(parameters),
);

/**
 * Takes the query of a URL apart and notes what does not belong there. Empty pairs (`&&`) carry
 * nothing and are no fault.
 */
export function openQuery(
  query: string | undefined,
  scheme: Scheme,
  findings: Findings,
): QueryReader {
  const texts = collect(query, scheme, findings);
  return {
    read(definition, inherited) {
      const fallback = inherited ?? definition.defaultValue;
      const text = texts.get(definition.name);
      if (text === undefined) return fallback;
      const read = definition.read(text);
      if (read !== undefined) return read.value;
      const problem = urlProblem(
        "INVALID_VALUE",
        definition.name,
        shownValue(definition.name, text),
        definition.allowed,
        definition.fault?.(text),
      );
      if (definition.guards === true) {
        findings.fail(problem);
        return fallback;
      }
      const clamped = definition.clamp?.(text);
      if (clamped !== undefined) {
        findings.overlook(problem, `${clamped.text} is used`);
        return clamped.value;
      }
      const name = inherited ?? definition.defaultText;
      findings.overlook(problem, name === undefined ? "not used" : `the default ${name} is used`);
      return fallback;
    },
  };
}

/** Whether the parameter keeps somebody out: nothing of it is overlooked. */
function guards(name: string | undefined): boolean {
  return name !== undefined && definitions.get(name)?.guards === true;
}

/** The decoded text of every parameter that the scheme has. */
function collect(
  query: string | undefined,
  scheme: Scheme,
  findings: Findings,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const pairs = query?.split("&").filter((pair) => pair !== "") ?? [];
  if (pairs.length > mostPairs) {
    const fault = `has ${pairs.length} parameters`;
    findings.fail(urlProblem("MALFORMED", "query", "", `at most ${mostPairs}`, fault));
    return texts;
  }
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const rawText = equals < 0 ? "" : pair.slice(equals + 1);
    const name = decode(rawName);
    const text = decode(rawText);
    if (name === undefined || text === undefined) {
      const fault = "has a broken percent-escape";
      const shown = shownName(name ?? rawName);
      const value = name === undefined ? redacted : shownValue(name, rawText);
      const problem = urlProblem("INVALID_VALUE", shown, value, "%25 for a percent sign", fault);
      if (guards(name)) findings.fail(problem);
      else findings.overlook(problem, "ignored");
      continue;
    }
    const definition = definitions.get(name);
    if (definition === undefined || !definition.schemes.includes(scheme)) {
      const problem = unknownParameter(name, text, scheme, definition);
      if (guards(name)) findings.fail(problem);
      else findings.overlook(problem, "ignored");
    } else if (texts.has(name)) {
      const shown = shownValue(name, text);
      const problem = urlProblem("DUPLICATE", name, shown, "once", "is given more than once");
      if (definition.guards === true) findings.fail(problem);
      else findings.overlook(problem, `the first is used`);
    } else {
      texts.set(name, text);
    }
  }
  return texts;
}

function unknownParameter(
  name: string,
  text: string,
  scheme: Scheme,
  definition: ParameterDefinition<unknown> | undefined,
): UrlProblem {
  const value = shownValue(name, text);
  if (name === "") {
    return urlProblem("UNKNOWN_PARAMETER", "query", `=${value}`, "name=value", "has no name");
  }
  if (definition !== undefined) {
    const owners = definition.schemes.join(" and ");
    const fault = `is no parameter of ${scheme} URLs, only of ${owners} URLs`;
    return urlProblem("UNKNOWN_PARAMETER", name, value, namesOf(scheme), fault);
  }
  // `cert` is what a widely used dashboard writes for `crt`.
  const suggestion = name === "cert" ? "crt" : closestName(name, [...definitions.keys()]);
  const hint = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  return urlProblem(
    "UNKNOWN_PARAMETER",
    shownName(name),
    value,
    namesOf(scheme),
    `is no parameter of NodePass URLs${hint}`,
  );
}

/** The names of the parameters of a scheme, in words. */
function namesOf(scheme: Scheme): string {
  const names = [...definitions.values()].filter(({ schemes }) => schemes.includes(scheme));
  return names.map(({ name }) => name).join(", ");
}

/** `undefined` for a broken escape. `+` is a space in a query, as everywhere in forms. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // URIError: not an escape, or not UTF-8. The caller reports it.
    return undefined;
  }
}
