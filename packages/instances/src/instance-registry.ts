import { randomBytes } from "node:crypto";
import { type InstanceRecord, ServiceError } from "@nodepass/model";
import type { MasterState, StateStore } from "@nodepass/store";
import type { ManagedInstance } from "./managed-instance.ts";

/** The instances by id, oldest first, and the state file that they are kept in. */
export class InstanceRegistry {
  readonly #state: MasterState;
  readonly #store: Pick<StateStore, "save" | "saveSoon">;
  readonly #instances = new Map<string, ManagedInstance>();
  /** Being saved for the first time: in the state, not yet in the list. */
  readonly #newcomers = new Map<string, ManagedInstance>();

  constructor(state: MasterState, store: Pick<StateStore, "save" | "saveSoon">) {
    this.#state = state;
    this.#store = store;
  }

  /** Newcomers included. */
  get size(): number {
    return this.#instances.size + this.#newcomers.size;
  }

  get(id: string): ManagedInstance | undefined {
    return this.#instances.get(id);
  }

  values(): IterableIterator<ManagedInstance> {
    return this.#instances.values();
  }

  /** 8 hexadecimal digits that nobody has. */
  newId(): string {
    for (;;) {
      const id = randomBytes(4).toString("hex");
      if (!this.#instances.has(id) && !this.#newcomers.has(id)) return id;
    }
  }

  /** Puts in what the state has already. */
  restore(instance: ManagedInstance): void {
    this.#instances.set(instance.record.id, instance);
  }

  /** Saves a new instance and lists it then. @throws {ServiceError} `UNAVAILABLE` */
  async add(instance: ManagedInstance): Promise<void> {
    const { id } = instance.record;
    this.#newcomers.set(id, instance);
    try {
      await this.save();
    } finally {
      this.#newcomers.delete(id);
    }
    this.#instances.set(id, instance);
  }

  /** Saves the state without an instance, which stays listed. @throws {ServiceError} `UNAVAILABLE` */
  async forget(instance: ManagedInstance): Promise<void> {
    instance.removed = true;
    try {
      await this.save();
    } catch (error) {
      instance.removed = false;
      throw error;
    }
  }

  /** Takes an instance that was forgotten off the list. */
  drop(instance: ManagedInstance): void {
    this.#instances.delete(instance.record.id);
  }

  /** Resolves when the state, as it is now or later, is on disk. @throws {ServiceError} `UNAVAILABLE` */
  async save(): Promise<void> {
    try {
      await this.#store.save(this.#snapshot);
    } catch (error) {
      // The store has logged why; paths are not for clients.
      throw new ServiceError("UNAVAILABLE", "the change could not be saved", { cause: error });
    }
  }

  /** For counters. */
  saveSoon(): void {
    this.#store.saveSoon(this.#snapshot);
  }

  /** The store encodes it at once: records may be handed out as they are. */
  readonly #snapshot = (): MasterState => {
    const instances: InstanceRecord[] = [];
    for (const { removed, record } of this.#instances.values()) {
      if (!removed) instances.push(record);
    }
    for (const { record } of this.#newcomers.values()) instances.push(record);
    this.#state.instances = instances;
    return this.#state;
  };
}
