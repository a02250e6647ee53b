import { readAddressRule } from "../address-rule.ts";
import type { Settings } from "../settings.ts";
import type { DescriptionWords } from "./english.ts";

/** Says who may come (`allow` and `deny`), for each port that has a list. */
export function describeVisitors(
  { scheme, allow, deny }: Settings,
  words: DescriptionWords,
): string[] {
  const { places } = words;
  const ports = [
    { at: "users", where: scheme === "master" ? places.api : places.users },
    ...(scheme === "server" ? [{ at: "peers", where: places.peers }] : []),
  ];
  return ports.flatMap(({ at, where }) => {
    const [allowed, denied] = [itemsFor(allow, at, words), itemsFor(deny, at, words)];
    return [
      ...(allowed.length === 0 ? [] : [words.onlyThese(where, words.list(allowed))]),
      ...(denied.length === 0 ? [] : [words.notThese(where, words.list(denied))]),
    ];
  });
}

/** The items that count at a port, without its name. */
function itemsFor(
  items: readonly string[],
  place: string,
  { thoseIn }: DescriptionWords,
): string[] {
  return items.flatMap((item) => {
    const rule = readAddressRule(item);
    if (rule === undefined || (rule.at !== "all" && rule.at !== place)) return [];
    return rule.network ?? thoseIn(rule.file ?? "");
  });
}
