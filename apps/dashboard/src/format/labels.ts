/** Labels or tags, one text for each. */
export function listLabels(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([name, value]) => (value === "" ? name : `${name}=${value}`));
}

/** Labels or tags as people type them: `region=eu, fast`. */
export function writeLabels(labels: Readonly<Record<string, string>>): string {
  return listLabels(labels).join(", ");
}

/** The same without marks of programs, to be changed. */
export function writeTags(tags: Readonly<Record<string, string>>): string {
  const shown = Object.entries(tags).filter(([name]) => !name.startsWith("nodepass."));
  return writeLabels(Object.fromEntries(shown));
}

/** The other way round. */
export function readLabels(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((part): [string, string][] => {
    const [name = "", ...rest] = part.split("=");
    return name.trim() === "" ? [] : [[name.trim(), rest.join("=").trim()]];
  });
  return Object.fromEntries(pairs);
}
