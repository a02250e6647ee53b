import type { RemoteInstance } from "@nodepass/master-client";
import { hrefOf } from "../router.ts";
import { flowOf } from "./flow.ts";
import type { Master } from "./master.ts";
import { currentMaster, masterName } from "./masters.ts";
import type { Row } from "./rows.ts";

/** Where instances are: a master, as pictures and lists tell of it. */
export interface Place {
  readonly id: string;
  readonly name: string;
  /** Where more of an instance is told; `undefined`: nowhere here. */
  hrefOf(instance: RemoteInstance): string | undefined;
}

/** An instance, and where it is. */
export interface Placed {
  readonly place: Place;
  readonly row: Row;
}

/** Every instance of some masters. */
export function placedIn(masters: readonly Master[]): Placed[] {
  return masters.flatMap((master) => {
    const place: Place = {
      id: master.url,
      name: masterName(master),
      hrefOf: ({ id }) =>
        master === currentMaster.value ? hrefOf({ name: "tunnel", id }) : undefined,
    };
    return master.rows.list().map((row) => ({ place, row }));
  });
}

/** What masters and hubs write for a key that is not for whoever asks. */
const MASKED = "***";

/** What two ends of a tunnel have in common; `undefined` for what has no other end. */
function tieOf({ peer, ...instance }: RemoteInstance): readonly string[] {
  const flow = flowOf({ peer, ...instance });
  if (flow === undefined || flow.kind === "forwarder") return [];
  const { port } = flow.tunnel;
  const { key } = flow.settings;
  return [
    ...(peer.sid === "" ? [] : [`sid ${peer.sid}`]),
    // Whoever made them: the ends of a tunnel have its port and its key. One that is hidden ties none.
    ...(key === MASKED ? [] : [`tunnel ${port} ${key}`]),
  ];
}

/** Finds other ends among instances; made once for many questions. */
export function peerFinder(
  placed: readonly Placed[],
): (one: Pick<Placed, "row">) => Placed | undefined {
  const byTie = new Map<string, Placed[]>();
  for (const each of placed) {
    for (const tie of tieOf(each.row.instance)) {
      const known = byTie.get(tie);
      if (known === undefined) byTie.set(tie, [each]);
      else known.push(each);
    }
  }
  return ({ row: { instance } }) => {
    for (const tie of tieOf(instance)) {
      const other = byTie.get(tie)?.find(({ row }) => row.instance.type !== instance.type);
      if (other !== undefined) return other;
    }
    return undefined;
  };
}
