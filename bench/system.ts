/** Systems are compared with those that do the same work. */
export type Group = "two hops" | "two hops, encrypted" | "one hop";

export const GROUPS: readonly Group[] = ["two hops", "two hops, encrypted", "one hop"];

/** Ports and a folder that one run of a system may use. */
export interface Places {
  /** Where users come in. */
  readonly entry: number;
  /** Between the two ends. */
  readonly control: number;
  /** Where the tunnel forwards to. */
  readonly target: number;
  /** For configuration files; removed after the run. */
  readonly folder: string;
}

/** A process to start. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Something that carries users' connections to a service, to be measured. */
export interface System {
  readonly name: string;
  readonly group: Group;
  /** The one that the others of its group are compared with. */
  readonly reference: boolean;
  /** The name of another build of ours that this is. */
  readonly build?: string | undefined;
  readonly udp: boolean;
  /** Longest time from the start until it has to carry a byte, seconds. */
  readonly patienceSeconds: number;
  /** What it was, for the record: a version, or how it is set up. */
  readonly version: string;
  /** The processes, in the order to start them in; may write files into the folder. */
  commands(places: Places): readonly Command[];
  /** A process, or several, with so many idle tunnels each with a TCP and a UDP listener. */
  instances?: ((ports: readonly number[]) => readonly Command[]) | undefined;
}

/** A system that could not be measured here. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}
