import { format } from "../format-url.ts";
import { describeParameters } from "../parameters.ts";
import { redact } from "../redact.ts";
import type { Settings } from "../settings.ts";

/** One setting of a URL. */
export interface SettingLine {
  readonly name: string;
  /** As a URL gives it; `undefined` if there is none. */
  readonly value: string | undefined;
  readonly isDefault: boolean;
  readonly meaning: string;
}

/**
 * Every setting that the URL's scheme has, with its value and whether that is the default.
 *
 * @example
 * listSettings(parse("server://:10101/:80?rate=8")).find(({ isDefault }) => !isDefault)?.name; // "rate"
 */
export function listSettings(settings: Settings): SettingLine[] {
  // A proxy's password is part of a setting.
  const url = redact(format(settings));
  const values = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return describeParameters()
    .filter(({ schemes }) => schemes.includes(settings.scheme))
    .map(({ name, defaultText, meaning }) => {
      const value = values.get(name) ?? undefined;
      return { name, value, isDefault: value === defaultText, meaning };
    });
}
