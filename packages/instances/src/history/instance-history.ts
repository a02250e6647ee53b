import { crc32 } from "node:zlib";
import {
  HISTORY_RANGE_NAMES,
  HISTORY_RANGES,
  type HistoryRange,
  type Instance,
  type InstanceHistory,
} from "@nodepass/model";
import { HistoryTier } from "./history-tier.ts";

/** First bytes of what is kept: `NPH` and the version. */
const MAGIC = Uint8Array.of(0x4e, 0x50, 0x48, 1);

/** What one instance did over the last hour, day and month; 120 KiB when all of it is full. */
export class InstanceHistoryLog {
  #tiers = createTiers();
  #before: { readonly time: number; readonly rx: number; readonly tx: number } | undefined;
  /** There is something that is not on disk. */
  dirty = false;

  /** Notes how an instance that runs is now. @param time milliseconds since 1970 */
  note(time: number, instance: Instance): void {
    const { tcprx, tcptx, udprx, udptx, tcps, udps, pool, ping } = instance;
    const now = { time, rx: tcprx + udprx, tx: tcptx + udptx };
    const before = this.#before;
    this.#before = now;
    // The first look after a start has nothing to be compared with.
    if (before === undefined || time <= before.time) return;
    const seconds = (time - before.time) / 1000;
    // A reset sets the counters back.
    const rate = (name: "rx" | "tx") => Math.max(0, now[name] - before[name]) / seconds;
    const point = { rx: rate("rx"), tx: rate("tx"), tcps, udps, pool, ping };
    for (const tier of this.#tiers.values()) tier.add(time, point);
    this.dirty = true;
  }

  /** It has stopped: the next look is a first one. */
  pause(): void {
    this.#before = undefined;
  }

  read(range: HistoryRange, time: number): InstanceHistory {
    return this.#tier(range).read(time);
  }

  /** Magic and version, CRC-32 of the rest, then the tiers. */
  encode(): Uint8Array {
    const tiers = HISTORY_RANGE_NAMES.map((range) => this.#tier(range).encode());
    const body = Buffer.concat(tiers);
    const head = Buffer.alloc(8);
    head.set(MAGIC);
    head.writeUInt32LE(crc32(body), 4);
    return Buffer.concat([head, body]);
  }

  /** Takes over what `encode` wrote. @returns whether it was that, whole */
  decode(bytes: Uint8Array): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < 8 || MAGIC.some((byte, index) => buffer[index] !== byte)) return false;
    const body = buffer.subarray(8);
    if (buffer.readUInt32LE(4) !== crc32(body)) return false;
    const tiers = createTiers();
    let rest: Uint8Array | undefined = body;
    for (const range of HISTORY_RANGE_NAMES) {
      rest = rest === undefined ? undefined : tiers.get(range)?.decode(rest);
    }
    if (rest === undefined) return false;
    this.#tiers = tiers;
    return true;
  }

  #tier(range: HistoryRange): HistoryTier {
    const tier = this.#tiers.get(range);
    if (tier === undefined) throw new RangeError(`no history of a ${range}`);
    return tier;
  }
}

function createTiers(): Map<HistoryRange, HistoryTier> {
  return new Map(
    HISTORY_RANGE_NAMES.map((range) => {
      const { stepSeconds, points } = HISTORY_RANGES[range];
      return [range, new HistoryTier(stepSeconds, points)] as const;
    }),
  );
}
