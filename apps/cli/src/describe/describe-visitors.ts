import { readAddressRule, type Settings } from "@nodepass/url-config";

/** Says who may come (`allow` and `deny`), for each port that has a list. */
export function describeVisitors({ scheme, allow, deny }: Settings): string[] {
  const places = [
    { at: "users", where: scheme === "master" ? "the API" : "the users' port" },
    ...(scheme === "server" ? [{ at: "peers", where: "the tunnel port" }] : []),
  ];
  return places.flatMap(({ at, where }) => {
    const [allowed, denied] = [itemsFor(allow, at), itemsFor(deny, at)];
    return [
      ...(allowed === "" ? [] : [`At ${where} only these may come: ${allowed}.`]),
      ...(denied === "" ? [] : [`At ${where} these may not come: ${denied}.`]),
    ];
  });
}

/** The items that count at a port, without its name. */
function itemsFor(items: readonly string[], place: string): string {
  return items
    .flatMap((item) => {
      const rule = readAddressRule(item);
      if (rule === undefined || (rule.at !== "all" && rule.at !== place)) return [];
      return rule.network ?? `those in ${rule.file}`;
    })
    .join(", ");
}
