import {
  isSelected,
  type MasterStatus,
  type MemberPermission,
  type Selector,
} from "@nodepass/model/fleet";
import { MAX_MEMBER_PARTS } from "./room.ts";

/** A member as placement sees it. */
export interface Candidate {
  readonly mid: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: MasterStatus;
  /** Whether this hub has heard of it at all. */
  readonly heard: boolean;
  readonly allow: readonly MemberPermission[];
  readonly draining: boolean;
  /** All that it runs or is to run, its local ones too. */
  readonly instances: number;
  /** Those of them that are parts of services, as the fleet's records say. */
  readonly parts: number;
}

/** What a part needs. */
export interface PlaceQuery {
  readonly selector: Selector;
  /** The same as people wrote it, for the reason. */
  readonly selectorText: string;
  /** What the caller may see: others do not exist. */
  readonly visible: Selector;
  /** Members that are out of the question, whatever they are. */
  readonly exclude: ReadonlySet<string>;
  /** Even over a label's values: how many of the services that belong together each has already. */
  readonly spread?:
    | { readonly label: string; readonly used: ReadonlyMap<string, number> }
    | undefined;
}

/** Who could run a part, best first; `reason` says why nobody could, in full. */
export interface Placement {
  readonly ranked: readonly Candidate[];
  readonly reason: string;
  /** Whether somebody would be there if they only were online. */
  readonly away: boolean;
}

/** Each takes members away and says of how many; `{n}` stands for the verb that fits the number. */
const FILTERS: readonly {
  readonly keeps: (candidate: Candidate, query: PlaceQuery) => boolean;
  readonly says: (count: number, query: PlaceQuery) => string;
}[] = [
  {
    keeps: ({ mid }, { exclude }) => !exclude.has(mid),
    says: (count) => `${count} ${have(count)} had it already`,
  },
  {
    keeps: ({ status }) => status !== "lost",
    says: (count) => `${count} ${are(count)} lost`,
  },
  {
    // The hub itself has just begun.
    keeps: ({ status, heard }) => status !== "late" || heard,
    says: (count) => `${count} ${have(count)} not been heard of yet: try again in some seconds`,
  },
  {
    keeps: ({ status }) => status !== "late",
    says: (count) => `${count} ${are(count)} late`,
  },
  {
    keeps: ({ status }) => status !== "new",
    says: (count) => `${count} ${have(count)} never been heard of`,
  },
  {
    keeps: ({ allow }) => allow.includes("apply"),
    says: (count) => `${count} ${count === 1 ? "does" : "do"} not allow apply`,
  },
  {
    keeps: ({ draining }) => !draining,
    says: (count) => `${count} ${are(count)} draining`,
  },
  {
    keeps: ({ parts }) => parts < MAX_MEMBER_PARTS,
    says: (count) => `${count} ${have(count)} ${MAX_MEMBER_PARTS} parts of services`,
  },
  {
    keeps: ({ labels }, { spread }) => spread === undefined || Object.hasOwn(labels, spread.label),
    says: (count, { spread }) => `${count} ${have(count)} no label ${spread?.label ?? ""}`,
  },
];

const are = (count: number) => (count === 1 ? "is" : "are");
const have = (count: number) => (count === 1 ? "has" : "have");

/**
 * Who could run a part: filtered by selector, presence, permission and room, those first whose value of
 * the spread label is used least, then those with the fewest instances. A free port is the member's own
 * answer, which `prepare` asks for.
 */
export function place(candidates: Iterable<Candidate>, query: PlaceQuery): Placement {
  let left: Candidate[] = [];
  for (const candidate of candidates) {
    if (!isSelected(candidate.labels, query.visible)) continue;
    if (isSelected(candidate.labels, query.selector)) left.push(candidate);
  }
  const isThere = ({ status }: Candidate) => status === "online";
  const away = left.some((candidate) => !isThere(candidate));
  const text = query.selectorText.trim();
  if (left.length > 0 && left.every(({ mid }) => query.exclude.has(mid))) {
    const reason = text === "" ? "there is no other master" : `no other master matches ${text}`;
    return { ranked: [], reason, away: false };
  }
  const matching = left.length;
  const heading =
    text === ""
      ? `${matching} ${matching === 1 ? "master is" : "masters are"} there`
      : `${matching} ${matching === 1 ? "master matches" : "masters match"} ${text}`;
  const reasons = [heading];
  for (const { keeps, says } of FILTERS) {
    const kept = left.filter((candidate) => keeps(candidate, query));
    if (kept.length < left.length) reasons.push(says(left.length - kept.length, query));
    left = kept;
  }
  const used = (candidate: Candidate) =>
    query.spread === undefined
      ? 0
      : (query.spread.used.get(candidate.labels[query.spread.label] ?? "") ?? 0);
  left.sort(
    (one, other) =>
      used(one) - used(other) || one.instances - other.instances || (one.mid < other.mid ? -1 : 1),
  );
  return { ranked: left, reason: reasons.join(", "), away };
}
