/**
 * The name at most two typing errors away from `text`, nearest first; `undefined` if none is.
 *
 * @param text of any length and any case; 64 characters of it are looked at
 * @example
 * closestName("rat", ["rate", "read"]); // "rate"
 */
export function closestName(text: string, names: readonly string[]): string | undefined {
  const wanted = text.toLowerCase().slice(0, 64);
  let best: string | undefined;
  // Short names are near everything: allow them one error only.
  let bestDistance = wanted.length > 3 ? 3 : 2;
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, candidate] of [...other].entries()) {
      const substitution = (row[j] ?? 0) + (letter === candidate ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
