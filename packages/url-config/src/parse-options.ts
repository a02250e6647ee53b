import type { LogLevel, Settings, TlsMode } from "./settings.ts";
import type { UrlProblem } from "./url-problem.ts";

/** Values for parameters that a URL lacks: what a master hands down to its instances. */
export interface ParseDefaults {
  readonly log?: LogLevel | undefined;
  /** For server and master URLs. */
  readonly tls?: TlsMode | undefined;
  /** For server and master URLs. */
  readonly crt?: string | undefined;
  /** For server and master URLs. */
  readonly keyFile?: string | undefined;
}

/** How a URL is read. */
export interface ParseOptions {
  /** Used where the URL lacks a parameter or, when lenient, has a bad value. @default {} */
  readonly defaults?: ParseDefaults | undefined;
}

/** What lenient reading gives. */
export interface LenientResult<S extends Settings> {
  readonly settings: S;
  /**
   * What NodePass 1.14 would have overlooked, each with what was taken instead, and (`NO_EFFECT`)
   * what changes nothing beside the rest of the URL.
   */
  readonly warnings: readonly UrlProblem[];
}
