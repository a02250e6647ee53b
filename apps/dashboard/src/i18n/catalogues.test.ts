import { COUNTER_NAMES } from "@nodepass/model";
import { describeParameters, ENGLISH } from "@nodepass/url-config";
import { describe, expect, it } from "vitest";
import { en as fleetEn } from "../fleet/i18n/en.ts";
import { zh as fleetZh } from "../fleet/i18n/zh.ts";
import { en } from "./en.ts";
import { zh } from "./zh.ts";
import { zhCounters, zhParameters } from "./zh-terms.ts";
import { zhWords } from "./zh-words.ts";

/** The path of every text and function of a catalogue. */
function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, each]) => pathsOf(each, `${path}.${name}`));
}

/** The texts among them. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

describe("the catalogues", () => {
  it("have the same keys", () => {
    const own = ({ parameters: _parameters, ...rest }: typeof en) => pathsOf(rest).sort();
    expect(own(zh)).toEqual(own(en));
    expect(pathsOf(fleetZh).sort()).toEqual(pathsOf(fleetEn).sort());
    expect(pathsOf(zhWords).sort()).toEqual(pathsOf(ENGLISH).sort());
  });

  it("know every parameter of a tunnel and every counter", () => {
    const names = describeParameters()
      .filter(({ schemes }) => schemes.some((scheme) => scheme !== "master"))
      .map(({ name }) => name);
    expect(Object.keys(zhParameters).sort()).toEqual(names.sort());
    expect(Object.keys(zhCounters)).toEqual([...COUNTER_NAMES]);
  });

  it("leave nothing untranslated", () => {
    const terms = new Set(["API", "URL", "CPU", "ID"]);
    const english = [...textsOf(zh), ...textsOf(fleetZh)].filter(
      (text) => !/\p{Script=Han}/u.test(text) && text !== "" && !terms.has(text),
    );
    expect(english).toEqual([]);
  });
});
