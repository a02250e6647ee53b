import { NAME_TAG, OWNER_TAG } from "@nodepass/model";

/** Something that shall be there under a name: a tunnel of a master, or a service of a fleet. */
export interface Desired {
  /** Unique among the desired; the alias of what is there, and what it is known by. */
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Something that is there. */
export interface Actual {
  readonly id: string;
  readonly alias: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Where things are: a master with its instances, a fleet with its services. Marks are the tags that a thing
 * shall have; others that it has are somebody else's, and stay.
 */
export interface Host<Wanted extends Desired, Thing extends Actual> {
  /** What one thing is called, with its article. */
  readonly what: string;
  list(): Promise<readonly Thing[]>;
  /** What differs beside tags and alias, in words, in the order in which it is changed. */
  differences(wanted: Wanted, thing: Thing): readonly string[];
  create(wanted: Wanted, marks: Marks): Promise<void>;
  /** @param changes what differs, `tags` and `alias` among them */
  change(wanted: Wanted, thing: Thing, changes: readonly string[], marks: Marks): Promise<void>;
  remove(thing: Thing): Promise<void>;
}

/** Tags with those that say who brought a thing. */
export type Marks = Readonly<Record<string, string>>;

/** The marks of what an owner wants. */
export function marksOf({ name, tags }: Desired, owner: string): Marks {
  return { ...tags, [OWNER_TAG]: owner, [NAME_TAG]: name };
}

/** Under which name a thing stands in a file. */
export function nameOf({ id, alias, tags }: Actual): string {
  return tags[NAME_TAG] ?? (alias === "" ? id : alias);
}
