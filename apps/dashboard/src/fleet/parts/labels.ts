/** Labels or tags, one text for each. */
export function listLabels(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([name, value]) => (value === "" ? name : `${name}=${value}`));
}

/** Labels or tags as people type them: `region=eu, fast`. */
export function writeLabels(labels: Readonly<Record<string, string>>): string {
  return listLabels(labels).join(", ");
}
