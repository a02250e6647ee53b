/** Tag that says who brought a thing (an instance, a service): only such are pruned. */
export const OWNER_TAG = "nodepass.owner";
/** Tag that says under which name: it stays when somebody gives the thing another alias. */
export const NAME_TAG = "nodepass.name";

/** The tags that nobody's mark is among. */
export function ownTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).filter(([name]) => name !== OWNER_TAG && name !== NAME_TAG),
  );
}
