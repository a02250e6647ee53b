import type { RemoteInstance } from "@nodepass/master-client";
import { flowOf } from "./flow.ts";
import type { Master } from "./master.ts";
import type { Row } from "./rows.ts";

/** An instance, and whose it is. */
export interface Placed {
  readonly master: Master;
  readonly row: Row;
}

/** Every instance of some masters. */
export function placedIn(masters: readonly Master[]): Placed[] {
  return masters.flatMap((master) => master.rows.list().map((row) => ({ master, row })));
}

/** What two ends of a tunnel have in common; `undefined` for what has no other end. */
function tieOf({ peer, ...instance }: RemoteInstance): readonly string[] {
  const flow = flowOf({ peer, ...instance });
  if (flow === undefined || flow.kind === "forwarder") return [];
  const { port } = flow.tunnel;
  return [
    ...(peer.sid === "" ? [] : [`sid ${peer.sid}`]),
    // Whoever made them: the ends of a tunnel have its port and its key.
    `tunnel ${port} ${flow.settings.key}`,
  ];
}

/** Finds other ends among instances; made once for many questions. */
export function peerFinder(placed: readonly Placed[]): (one: Placed) => Placed | undefined {
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
