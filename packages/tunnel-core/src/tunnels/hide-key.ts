import { inspect } from "node:util";
import type { ClientSettings, ServerSettings } from "@nodepass/url-config";

/** What stands in place of a key. */
const HIDDEN = "***";

/**
 * A copy of the settings that shows no key when it is inspected or serialised, so that no log gets it
 * by accident. Read or copied by a program it is there as before.
 *
 * The key is a getter, since `console.dir` passes `inspect.custom` by.
 */
export function hideKey<S extends ServerSettings | ClientSettings>(settings: S): S {
  const shown = (): object => ({ ...settings, key: HIDDEN });
  return Object.defineProperties(
    { ...settings },
    {
      key: { get: () => settings.key, enumerable: true },
      toJSON: { value: shown },
      [inspect.custom]: { value: shown },
    },
  );
}
