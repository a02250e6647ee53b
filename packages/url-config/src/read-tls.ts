import type { Findings } from "./findings.ts";
import { parameters } from "./parameters.ts";
import type { ParseDefaults } from "./parse-options.ts";
import type { QueryReader } from "./read-query.ts";
import type { TlsMode } from "./settings.ts";
import { urlProblem } from "./url-problem.ts";

/** The TLS settings of what listens. */
export interface TlsSettings {
  readonly tls: TlsMode;
  readonly crt: string | undefined;
  readonly keyFile: string | undefined;
}

/** Reads `tls`, `crt` and `key`. NodePass 1.14 takes `tls=1` for a `tls=2` without its files. */
export function readTlsFiles(
  query: QueryReader,
  defaults: ParseDefaults,
  findings: Findings,
): TlsSettings {
  const tls = query.read(parameters.tls, defaults.tls);
  const crt = query.read(parameters.crt, defaults.crt);
  const keyFile = query.read(parameters.key, defaults.keyFile);
  const absent = (name: string, allowed: string) =>
    findings.overlook(
      urlProblem("MISSING", name, "", allowed, "is missing, which tls=2 needs"),
      "tls=1 is used",
    );
  if (tls !== 2 || (crt !== undefined && keyFile !== undefined)) return { tls, crt, keyFile };
  if (crt === undefined) absent("crt", parameters.crt.allowed);
  if (keyFile === undefined) absent("key", parameters.key.allowed);
  return { tls: 1, crt, keyFile };
}
