import { language } from "../../i18n/index.ts";
import { en, type FleetCatalogue } from "./en.ts";
import { zh } from "./zh.ts";

const catalogues = { en, zh } as const;

/** What only a hub's page says, in the language that is spoken. */
export function fleetTexts(): FleetCatalogue {
  return catalogues[language.value];
}
