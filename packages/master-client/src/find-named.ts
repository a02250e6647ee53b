import { MasterClientError } from "./client-error.ts";

/** Most candidates that a message lists. */
const maxCandidates = 10;

/** How things of a kind are named. */
export interface Naming<Thing> {
  /** What they are called. */
  readonly what: string;
  readonly idOf: (thing: Thing) => string;
  /** Empty: it has none. */
  readonly nameOf: (thing: Thing) => string;
  /** How people name one. */
  readonly hint: string;
}

/**
 * Finds the thing that `name` means: a whole id, else the only one with that name or with an id that
 * starts with it.
 *
 * @throws {MasterClientError} `NOT_FOUND`, with the candidates if there are several
 */
export function findNamed<Thing>(
  all: readonly Thing[],
  name: string,
  { what, idOf, nameOf, hint }: Naming<Thing>,
): Thing {
  const exact = all.find((thing) => idOf(thing) === name);
  if (exact !== undefined) return exact;
  const candidates = all.filter(
    (thing) => name !== "" && (nameOf(thing) === name || idOf(thing).startsWith(name)),
  );
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (only === undefined) {
    throw new MasterClientError("NOT_FOUND", `no ${what} ${JSON.stringify(name)}`, {
      details: [hint],
    });
  }
  const rest = candidates.length - maxCandidates;
  const message = `${JSON.stringify(name)} may be ${candidates.length} ${what}s`;
  throw new MasterClientError("NOT_FOUND", message, {
    details: [
      ...candidates.slice(0, maxCandidates).map((thing) => shown(idOf(thing), nameOf(thing))),
      ...(rest > 0 ? [`and ${rest} more`] : []),
    ],
  });
}

/** How people see which one is meant: id and name. */
export function shown(id: string, name: string): string {
  return name === "" ? id : `${id} (${name})`;
}
