import type { MasterState, StateSnapshot } from "@nodepass/store";

/** A store in memory. */
export class FakeStore {
  /** What a kill would leave. */
  saved: MasterState | undefined;
  saves = 0;
  /** Set to make every write fail. */
  failure: Error | undefined;
  #soon: StateSnapshot | undefined;

  async save(snapshot: StateSnapshot): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.#write(snapshot);
  }

  saveSoon(snapshot: StateSnapshot): void {
    this.#soon = snapshot;
  }

  /** Writes what `saveSoon` was given. */
  flush(): void {
    if (this.#soon !== undefined) this.#write(this.#soon);
  }

  #write(snapshot: StateSnapshot): void {
    this.saves++;
    this.saved = structuredClone(snapshot());
  }
}
