import { parseEnvironment } from "../environment.ts";
import { format } from "../format-url.ts";
import { urlForOtherEnd } from "../other-end.ts";
import { parse } from "../parse-url.ts";
import { redact } from "../redact.ts";
import type { Settings } from "../settings.ts";
import { UrlConfigError } from "../url-problem.ts";
import { describeSettings } from "./describe-settings.ts";
import { listSettings, type SettingLine } from "./list-settings.ts";
import { type ListWarningsOptions, listWarnings } from "./list-warnings.ts";

/** How a URL is looked at. */
export interface CheckUrlOptions extends ListWarningsOptions {
  /** Leave the key in the URLs of the report. @default false */
  readonly showKey?: boolean | undefined;
}

/** What there is to say about a URL; if it has problems, nothing but these. */
export interface UrlReport {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** What it means, in sentences. */
  readonly description: readonly string[];
  readonly settings: readonly SettingLine[];
  /** The URL with every default spelled out. */
  readonly url: string | undefined;
  /** A URL for the other end, with placeholders in angle brackets; none if there is no other end. */
  readonly otherEnd: string | undefined;
  /** Whether `***` stands for the key in `otherEnd`. */
  readonly keyHidden: boolean;
}

/**
 * Looks at a URL and the environment that it would run in. Throws nothing.
 *
 * @example
 * checkUrl("server://:10101/:80?rate=8", {}).problems; // []
 */
export function checkUrl(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  options: CheckUrlOptions = {},
): UrlReport {
  const settings = attempt(() => parse(url));
  const limits = attempt(() => parseEnvironment(environment));
  const problems = [...settings.problems, ...limits.problems];
  if (settings.value === undefined || problems.length > 0) {
    return {
      problems,
      warnings: [],
      description: [],
      settings: [],
      url: undefined,
      otherEnd: undefined,
      keyHidden: false,
    };
  }
  const show = (text: string) => (options.showKey === true ? text : redact(text));
  const otherEnd = findOtherEnd(settings.value);
  const slips = limits.value?.warnings ?? [];
  return {
    problems,
    warnings: [...listWarnings(settings.value, options), ...slips.map(({ message }) => message)],
    description: describeSettings(settings.value, options.words),
    settings: listSettings(settings.value),
    url: show(format(settings.value)),
    otherEnd: otherEnd === undefined ? undefined : show(otherEnd),
    keyHidden: otherEnd !== undefined && show(otherEnd) !== otherEnd,
  };
}

function findOtherEnd(settings: Settings): string | undefined {
  return settings.scheme === "master" ? undefined : urlForOtherEnd(settings);
}

function attempt<T>(read: () => T): { value?: T; problems: string[] } {
  try {
    return { value: read(), problems: [] };
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    return { problems: error.problems.map(({ message }) => message) };
  }
}
