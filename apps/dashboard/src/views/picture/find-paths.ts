import { isWildcard } from "@nodepass/url-config";
import { type Flow, flowOf, shortAddress } from "../../state/flow.ts";
import { type Place, type Placed, peerFinder } from "../../state/peers.ts";
import { CONDITIONS, type Condition, conditionOf } from "../../state/status.ts";

/** An end of a path: at a master that is known here, or somewhere else. */
export interface PathEnd {
  readonly place: Place | undefined;
  /** `:8080`, or the address of who is not known; empty where nothing is known. */
  readonly address: string;
}

/** A way that connections go: from users to the entry, over a tunnel or at once, to targets. */
export interface Path {
  readonly id: string;
  readonly name: string;
  /** Whose instance tells of it. */
  readonly place: Place;
  /** Where more is told of it. */
  readonly href: string | undefined;
  readonly entry: PathEnd;
  /** `undefined` for a forwarder, which is both. */
  readonly exit: PathEnd | undefined;
  readonly targets: readonly string[];
  readonly condition: Condition;
  /** Bytes/s in both directions. */
  readonly rate: number;
}

/** The ways of all tunnels; both ends of one make one. */
export function findPaths(placed: readonly Placed[]): Path[] {
  const peerOf = peerFinder(placed);
  return placed.flatMap((one) => {
    const flow = flowOf(one.row.instance);
    if (flow === undefined) return [];
    const peer = flow.kind === "forwarder" ? undefined : peerOf(one);
    // The server tells of a tunnel whose ends are both known.
    if (peer !== undefined && !flow.isServer) return [];
    return [toPath(one, flow, peer)];
  });
}

/** A way is no better than the worse of its ends. */
function worst(rows: readonly (Placed["row"] | undefined)[]): Condition {
  const conditions = rows.flatMap((row) => (row === undefined ? [] : [conditionOf(row.instance)]));
  return CONDITIONS.find((condition) => conditions.includes(condition)) ?? "up";
}

function toPath({ place, row }: Placed, flow: Flow, peer: Placed | undefined): Path {
  const { instance } = row;
  const peerFlow = peer === undefined ? undefined : flowOf(peer.row.instance);
  const here = (address: string): PathEnd => ({ place, address });
  const there: PathEnd = { place: peer?.place, address: "" };
  const own = flow.targets.map(shortAddress);
  const tunnel = shortAddress(flow.tunnel);
  const base = {
    id: `${place.id} ${instance.id}`,
    name: instance.alias || instance.id,
    place,
    href: place.hrefOf(instance),
    condition: worst([row, peer?.row]),
    rate: (row.received ?? 0) + (row.sent ?? 0),
  };
  switch (flow.kind) {
    case "forwarder":
      return { ...base, entry: here(tunnel), exit: undefined, targets: own };
    case "entry": {
      const targets = peerFlow?.targets.map(shortAddress) ?? [];
      return { ...base, entry: here(own[0] ?? ""), exit: there, targets };
    }
    case "exit": {
      const listen = peerFlow?.targets[0];
      const address = listen === undefined ? "" : shortAddress(listen);
      return { ...base, entry: { ...there, address }, exit: here(tunnel), targets: own };
    }
    case "client":
    case "auto": {
      // Its server decides, and is not known here: an address to listen on is all interfaces', mostly.
      const listens = flow.targets.length === 1 && isWildcard(flow.targets[0]?.host ?? "x");
      return listens
        ? {
            ...base,
            entry: here(own[0] ?? ""),
            exit: { place: undefined, address: tunnel },
            targets: [],
          }
        : { ...base, entry: { place: undefined, address: tunnel }, exit: here(""), targets: own };
    }
  }
}
