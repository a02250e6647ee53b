import { isFilledIn, type PartKey, type Prepared } from "@nodepass/fleet-protocol";
import { ServiceError, type ServiceErrorCode } from "@nodepass/model";
import { type PartRole, parseSelector, type Selector } from "@nodepass/model/fleet";
import { demandMember } from "../access/demand-member.ts";
import { listCandidates, spreadOf } from "./candidates.ts";
import { type Candidate, place } from "./place.ts";
import type { ServiceParts } from "./service-operations.ts";

/** Masters that are asked in turn whether they can run a part, at most. */
const MOST_ASKED = 8;
/** Longest wait for one of several, ms: the next one may be quicker. */
const ASK_TIMEOUT_MS = 3000;

/** Where a part is to go. */
export interface PlaceRequest {
  /** What the caller may see. */
  readonly visible: Selector;
  /** mid or name of the one that it must be; else `selector` says. */
  readonly master?: string | undefined;
  readonly selector: string;
  readonly spread?:
    | { readonly label: string; readonly alias: string; readonly role: PartRole }
    | undefined;
  readonly exclude?: ReadonlySet<string> | undefined;
  readonly url: string;
  /** The part that moves; `null` for a new one. */
  readonly key: PartKey | null;
}

/** A member that has said that it can run a part. */
export interface Placed {
  readonly mid: string;
  readonly name: string;
  readonly prepared: Prepared;
  /** It counts as one more instance there until this is called: others are being placed as well. */
  release(): void;
}

/** Finds members for parts and asks them. */
export interface Placer {
  /** @throws {ServiceError} `NOT_FOUND` (no such master), `CONFLICT` with all reasons, `UNAVAILABLE`, `INVALID_URL` */
  place(request: PlaceRequest): Promise<Placed>;
  /** Asks one member. @throws {ServiceError} as it said, with its name */
  prepare(mid: string, url: string, key: PartKey | null): Promise<Prepared>;
  /** A master that the caller may see. @throws {ServiceError} `NOT_FOUND` */
  find(midOrName: string, visible: Selector): { readonly mid: string; readonly name: string };
}

export function createPlacer({
  index,
  presence,
  messenger,
}: Pick<ServiceParts, "index" | "presence" | "messenger">): Placer {
  /** Parts that are being placed, by member: its heartbeat and the index know nothing of them yet. */
  const reserved = new Map<string, number>();

  const reserve = (mid: string, by: number) => {
    const count = (reserved.get(mid) ?? 0) + by;
    if (count > 0) reserved.set(mid, count);
    else reserved.delete(mid);
  };

  const find = (midOrName: string, visible: Selector) => {
    const { mid, record } = demandMember(index, midOrName, visible);
    return { mid, name: record.name };
  };

  const prepare = async (
    mid: string,
    url: string,
    key: PartKey | null,
    timeoutMs?: number | undefined,
  ) => {
    const name = index.members.get(mid)?.value.name ?? mid;
    const prepared = await messenger.prepare(mid, { url, key }, timeoutMs);
    if (!prepared.ok) {
      throw new ServiceError(codeOf(prepared.status), `master ${name} refuses: ${prepared.reason}`);
    }
    // It is kept, and run by whoever has the part after this one: with what was asked for, and no other target.
    if (!isFilledIn(url, prepared.url)) {
      throw new ServiceError(
        "UNAVAILABLE",
        `master ${name} answered another URL than it was asked`,
      );
    }
    return prepared;
  };

  const candidates = function* (only: string | undefined): Generator<Candidate> {
    for (const candidate of listCandidates(index, presence)) {
      if (only !== undefined && candidate.mid !== only) continue;
      const more = reserved.get(candidate.mid) ?? 0;
      const { instances, parts } = candidate;
      yield { ...candidate, instances: instances + more, parts: parts + more };
    }
  };

  return {
    find,
    prepare,
    place: async (request) => {
      const { visible, master, selector, spread, exclude = new Set(), url, key } = request;
      const only = master === undefined ? undefined : find(master, visible).mid;
      const { ranked, reason, away } = place(candidates(only), {
        // A master that is named is taken whatever its labels are.
        selector: only === undefined ? parseSelector(selector) : [],
        selectorText: only === undefined ? selector : "",
        visible,
        exclude,
        spread:
          spread === undefined || only !== undefined
            ? undefined
            : spreadOf(index, spread.label, spread.alias, spread.role),
      });
      if (ranked.length === 0) {
        const code = away ? "UNAVAILABLE" : "CONFLICT";
        const what = only === undefined ? "" : ` (master ${master})`;
        throw new ServiceError(code, `no master can run ${describe(url)}${what}: ${reason}`);
      }
      const refusals: ServiceError[] = [];
      for (const { mid, name } of ranked.slice(0, MOST_ASKED)) {
        reserve(mid, 1);
        try {
          const timeoutMs = ranked.length > 1 ? ASK_TIMEOUT_MS : undefined;
          const prepared = await prepare(mid, url, key, timeoutMs);
          return { mid, name, prepared, release: once(() => reserve(mid, -1)) };
        } catch (error) {
          reserve(mid, -1);
          if (!(error instanceof ServiceError)) throw error;
          // What is wrong with the URL is wrong with it everywhere.
          if (error.code === "INVALID_URL" || ranked.length === 1) throw error;
          refusals.push(error);
        }
      }
      const all = refusals.map(({ message }) => message).join("; ");
      const code = refusals.every(({ code }) => code === "UNAVAILABLE")
        ? "UNAVAILABLE"
        : "CONFLICT";
      throw new ServiceError(code, `no master can run ${describe(url)}: ${reason}; ${all}`);
    },
  };
}

/** Which end it is; no more of a URL goes into a message. */
function describe(url: string): string {
  return url.trimStart().toLowerCase().startsWith("client") ? "the client" : "the server";
}

function codeOf(status: number): ServiceErrorCode {
  if (status === 400) return "INVALID_URL";
  if (status === 403) return "FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  return status === 503 ? "UNAVAILABLE" : "CONFLICT";
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
