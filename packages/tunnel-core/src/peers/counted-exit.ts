import type { Exit } from "../conduit/conduit.ts";
import type { PeerLoad } from "./peer-load.ts";

/** The exit, for one of several peers: what it opens for it is counted. */
export function countedExit(exit: Exit | undefined, load: PeerLoad | undefined): Exit | undefined {
  if (exit === undefined || load === undefined) return exit;
  return { open: (opening) => exit.open(opening, load) };
}
