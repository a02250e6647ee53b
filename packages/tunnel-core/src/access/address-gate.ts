import type { ClientSettings, ServerSettings } from "@nodepass/url-config";
import type { TrafficCounters } from "../counters.ts";
import type { TunnelLog } from "../tunnel-reports.ts";
import { AddressLists, type AddressListsOptions, type AddressPlace } from "./address-lists.ts";
import type { Bans, Offence, Offences } from "./bans.ts";

/** Where a gate counts and reports whom it has kept out. */
interface GateContext extends Pick<TunnelLog, "log" | "logLimited"> {
  readonly counters: Pick<TrafficCounters, "refusedDenied" | "refusedBanned">;
}

/** Who is kept out of one port of a tunnel. */
export class AddressGate implements Offences {
  readonly #context: GateContext;
  readonly #lists: AddressLists;
  readonly #bans: Bans | undefined;

  constructor(context: GateContext, lists: AddressLists, bans: Bans | undefined) {
    this.#context = context;
    this.#lists = lists;
    this.#bans = bans;
  }

  /** Whether one from this address may come; nothing is counted. */
  isOpenTo(address: string): boolean {
    return this.#lists.admits(address) && this.#bans?.has(address) !== true;
  }

  /** Whether one from this address may come; one who may not is counted and logged. */
  admits(address: string): boolean {
    if (!this.#lists.admits(address)) {
      this.#refused("refusedDenied", "connection refused: its address may not come", address);
      return false;
    }
    if (this.#bans?.has(address) === true) {
      this.#refused("refusedBanned", "connection refused: its address is banned", address);
      return false;
    }
    return true;
  }

  #refused(counter: keyof GateContext["counters"], message: string, address: string): void {
    this.#context.counters[counter]++;
    this.#context.logLimited("warn", message, { address });
  }

  /** One from this address has done what costs it a penalty. */
  offended(address: string, offence: Offence): void {
    const ms = this.#bans?.punish(address, offence);
    if (ms === undefined) return;
    this.#context.logLimited("warn", "address banned", { address, seconds: Math.round(ms / 1000) });
  }
}

/**
 * Those who are trusted to say whose connections they pass on; `undefined`: nobody.
 *
 * @throws {TunnelError} `INVALID_OPTIONS` for a file that can't be used
 */
export function openTrust(
  context: Pick<TunnelLog, "log">,
  { trust }: Pick<ServerSettings | ClientSettings, "trust">,
): AddressLists | undefined {
  if (trust.length === 0) return undefined;
  return new AddressLists({ allow: trust, deny: [], place: "users", onFile: fileTeller(context) });
}

function fileTeller({ log }: Pick<TunnelLog, "log">): AddressListsOptions["onFile"] {
  return (file, reason) => {
    if (reason === undefined) log("info", "address list reloaded", { file });
    else log("warn", "address list not reloaded: the old one stays", { file, reason });
  };
}

/**
 * The gate of a port; `undefined` where nobody is kept out, so that nothing is asked there.
 *
 * @param bans those in force, which go on
 * @throws {TunnelError} `INVALID_OPTIONS` for a file that can't be used
 */
export function openGate(
  context: GateContext,
  settings: Pick<ServerSettings | ClientSettings, "allow" | "deny">,
  place: AddressPlace,
  bans: Bans | undefined,
): AddressGate | undefined {
  const lists = new AddressLists({
    allow: settings.allow,
    deny: settings.deny,
    place,
    onFile: fileTeller(context),
  });
  return lists.isOpen && bans === undefined ? undefined : new AddressGate(context, lists, bans);
}
