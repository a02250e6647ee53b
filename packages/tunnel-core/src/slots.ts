import type { TunnelSettings } from "@nodepass/url-config";
import { sourceOf } from "./access/bans.ts";
import type { TrafficCounters } from "./counters.ts";
import { monotonicMs } from "./monotonic.ts";
import type { ConnectionRefusal, TunnelLog } from "./tunnel-reports.ts";

/** What a place that was taken is given back with: whose it is, if that is counted. */
export type Slot = string;
/** A place that is nobody's in particular. */
const ANY: Slot = "";

/**
 * Most concurrent TCP connections and UDP sessions together (`slot`), and of one address (`slotip`),
 * an IPv6 address counting as its /64.
 */
export class Slots {
  #limit: number;
  #perAddress: number;
  /** Until when there are any, as `monotonicMs`. */
  #until: number | undefined;
  /** Whether there is anything to compare: else who takes a place pays for none of it. */
  #bounded: boolean;
  #used = 0;
  /** As many entries as places taken, at most. */
  readonly #byAddress = new Map<Slot, number>();

  /** @param limit 0 = no limit @param perAddress the same, for each address. @default 0 */
  constructor(limit: number, perAddress = 0) {
    this.#limit = limit;
    this.#perAddress = perAddress;
    this.#bounded = limit > 0;
  }

  /**
   * Takes a place; `undefined` when all are taken: of all, or of this address.
   *
   * @param address any text unless `asksAddress`
   */
  take(address: string): Slot | undefined {
    if (this.isFull) return undefined;
    if (this.#perAddress === 0) {
      this.#used++;
      return ANY;
    }
    const key = sourceOf(address) ?? address;
    const taken = this.#byAddress.get(key) ?? 0;
    if (taken >= this.#perAddress) return undefined;
    this.#byAddress.set(key, taken + 1);
    this.#used++;
    return key;
  }

  /** Whether who takes a place has to say his address. */
  get asksAddress(): boolean {
    return this.#perAddress > 0;
  }

  /** Whether nobody can take a place, whatever his address. */
  get isFull(): boolean {
    return this.#bounded && (this.isOver || (this.#limit > 0 && this.#used >= this.#limit));
  }

  /** Whether the time in which there are places has ended. */
  get isOver(): boolean {
    return this.#until !== undefined && monotonicMs() >= this.#until;
  }

  /** From now on; who is in stays. @param limit 0 = no limit */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#bounded = limit > 0 || this.#until !== undefined;
  }

  /** Nobody gets a place from then on; who is in stays. @param until as `monotonicMs`; `undefined`: no end */
  setUntil(until: number | undefined): void {
    this.#until = until;
    this.#bounded = this.#limit > 0 || until !== undefined;
  }

  /** The same for each address; who came while there was no such limit is not counted. */
  setPerAddress(limit: number): void {
    this.#perAddress = limit;
  }

  /** @param slot what `take` gave */
  release(slot: Slot): void {
    this.#used--;
    if (slot === ANY) return;
    const left = (this.#byAddress.get(slot) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(slot);
    else this.#byAddress.set(slot, left);
  }

  get used(): number {
    return this.#used;
  }

  /** Addresses that have places, while they are counted. */
  get addresses(): number {
    return this.#byAddress.size;
  }
}

/** Whose places they are, and where it is counted that there was none. */
interface SlotsContext extends Pick<TunnelLog, "logLimited"> {
  readonly counters: Pick<TrafficCounters, "refusedSlot" | "refusedSlotip">;
  readonly settings: Pick<TunnelSettings, "slot" | "slotPerAddress">;
  readonly slots: Slots;
}

/** Counts and logs that there was no place for a TCP connection. @returns which ones were taken */
export function noSlot(
  { counters, settings, slots, logLimited }: SlotsContext,
  address: string,
): ConnectionRefusal {
  if (slots.isOver) {
    logLimited("warn", "connection refused: the time in which this end may serve is over");
    return "closing";
  }
  if (slots.isFull) {
    counters.refusedSlot++;
    logLimited("warn", "connection refused: all slots are taken", { slot: settings.slot });
    return "slots";
  }
  counters.refusedSlotip++;
  logLimited("warn", "connection refused: all slots of its address are taken", {
    address,
    slotip: settings.slotPerAddress,
  });
  return "address-slots";
}
