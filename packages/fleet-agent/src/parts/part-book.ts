import type { PartKey, PartOrder, PartReport } from "@nodepass/fleet-protocol";
import type { FleetFile, PartEntry } from "../file/fleet-file.ts";

/** Parts that were given up and are still remembered. */
const MAX_FORMER_PARTS = 1000;

/** `sid/part` */
export function keyOf({ sid, part }: PartKey): string {
  return `${sid}/${part}`;
}

/**
 * The parts of a member as its file has them: which records were applied, and which are not to be
 * applied any more (section 7, rule 2 of the fleet's design). A part that was given up leaves a trace,
 * so that an order from before, which comes late, makes nothing of it again.
 */
export class PartBook {
  readonly #file: FleetFile;
  readonly #entries = new Map<string, PartEntry>();
  /** Nonce of the bucket that orders are of now. */
  bucket: string;

  constructor(file: FleetFile) {
    this.#file = file;
    this.bucket = file.data.bucket;
    for (const entry of file.data.parts) this.#entries.set(keyOf(entry), entry);
  }

  get entries(): readonly PartEntry[] {
    return [...this.#entries.values()];
  }

  get(key: PartKey): PartEntry | undefined {
    return this.#entries.get(keyOf(key));
  }

  /** The part that a local instance is. */
  find(instance: string): PartEntry | undefined {
    for (const entry of this.#entries.values()) if (entry.instance === instance) return entry;
    return undefined;
  }

  /** Highest revision ever applied, of the bucket that is known. */
  get revision(): number {
    return this.#file.data.revision;
  }

  /** Whether an order says something new: of a higher revision than what is known, of no lower epoch. */
  isNew(order: PartOrder): boolean {
    const known = this.get(order) ?? this.#former(order);
    if (known === undefined) return true;
    if (order.epoch < known.epoch) return false;
    // Revisions of different buckets say nothing of each other; epochs do.
    return known.bucket !== this.bucket || order.rev > known.rev;
  }

  /** Takes an order over; what it says is still to be done. @returns the part as it is to be */
  take(order: PartOrder): PartEntry {
    const { sid, part, rev, epoch, running, url, alias, tags, strict, ttlMs, policy, proof } =
      order;
    const { bucket } = this;
    const wanted = { rev, epoch, bucket, running, url, alias, tags, strict, ttlMs, policy, proof };
    const fresh = { tries: 0, reason: "" };
    const known = this.get(order);
    const entry: PartEntry =
      known === undefined
        ? { sid, part, instance: null, ...wanted, ...fresh }
        : Object.assign(known, wanted, fresh);
    this.#entries.set(keyOf(order), entry);
    this.#note(rev);
    this.see(rev, order.seen);
    this.#sync();
    return entry;
  }

  /** A hub has told of a revision of the bucket that is known, and can be shown that it has. */
  see(revision: number, proof: Uint8Array | undefined): void {
    const { data } = this.#file;
    if (proof === undefined || this.bucket !== data.bucket) return;
    if (data.seen === undefined || revision > data.seen.revision) data.seen = { revision, proof };
  }

  /** What was ordered is so already; a hub of before has given nothing to show for it. */
  keepProof({ rev, policy, proof, ...key }: PartOrder): void {
    const known = this.get(key);
    if (known?.rev === rev && known.bucket === this.bucket) Object.assign(known, { policy, proof });
  }

  /** The part is not this member's any more. */
  drop(key: PartKey, rev: number, epoch: number, carried: PartReport["carried"]): void {
    this.#entries.delete(keyOf(key));
    const { data } = this.#file;
    const { sid, part } = key;
    const others = data.former.filter((one) => keyOf(one) !== keyOf(key));
    others.push({ sid, part, rev, epoch, bucket: this.bucket, carried });
    data.former = others.slice(-MAX_FORMER_PARTS);
    this.#note(rev);
    this.#sync();
  }

  /** What a part that was given up had carried here; `null` if that is not known. */
  carriedBy(key: PartKey): PartReport["carried"] {
    return this.#former(key)?.carried ?? null;
  }

  /** The bucket that `revision` is of; empty at first. */
  get knownBucket(): string {
    return this.#file.data.bucket;
  }

  /** From now on revisions are of this bucket. What was ordered before the first one had a name is of it, too. */
  adoptBucket(): void {
    const { data } = this.#file;
    const isFirst = data.bucket === "";
    data.bucket = this.bucket;
    if (isFirst) {
      for (const entry of this.entries) if (entry.bucket === "") entry.bucket = this.bucket;
      return;
    }
    data.revision = 0;
    delete data.seen;
  }

  /** Resolves when it is on disk. @throws {FleetAgentError} `FILE_UNUSABLE` */
  save(): Promise<void> {
    this.#sync();
    return this.#file.save();
  }

  #former(key: PartKey) {
    return this.#file.data.former.find((one) => keyOf(one) === keyOf(key));
  }

  #note(rev: number): void {
    const { data } = this.#file;
    if (data.bucket === this.bucket) data.revision = Math.max(data.revision, rev);
  }

  #sync(): void {
    this.#file.data.parts = this.entries.slice();
  }
}
