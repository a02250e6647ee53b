import type { StateType } from "./frame.ts";

interface Pending<State> {
  readonly types: Set<StateType>;
  state: State;
  /** Position among everything that waits for this reader. */
  sequence: number;
  /** When it happened, ms since 1970. */
  time: number;
}

/** A state that may be sent now. */
export interface ReadyState<State> {
  readonly type: StateType;
  readonly state: State;
  readonly time: number;
  readonly sequence: number;
}

/** The order in which the pending types of one thing leave. */
const ORDER: readonly StateType[] = ["initial", "create", "update", "delete"];

/**
 * What one reader has still to hear about things (a master's instances; a fleet's masters and
 * services): at most one entry each, with the latest state, however slow the reader is.
 *
 * Two states of one thing leave at least `spacingMs` apart: the dashboard applies events on
 * parallel workers, and two that arrive in the same instant may be applied in the wrong order.
 */
export class StateQueue<State> {
  readonly #spacingMs: number;
  readonly #keyOf: (state: State) => string;
  readonly #pending = new Map<string, Pending<State>>();
  /** Last time a state of the thing left; kept only while it can still delay something. */
  readonly #sentAt = new Map<string, number>();

  /** @param keyOf what tells one thing from another */
  constructor(spacingMs: number, keyOf: (state: State) => string) {
    this.#spacingMs = spacingMs;
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.#pending.size;
  }

  push(type: StateType, state: State, time: number, sequence: number): void {
    const key = this.#keyOf(state);
    const pending = this.#pending.get(key);
    if (pending === undefined) {
      this.#pending.set(key, { types: new Set([type]), state, sequence, time });
      return;
    }
    pending.state = state;
    pending.time = time;
    if (type === "delete") {
      pending.types.clear();
      // What was logged before the end stays before it.
      pending.sequence = sequence;
    }
    // The same id again before its end was told: to a reader that still knows it, an update.
    if (type === "create" && pending.types.delete("delete")) pending.types.add("update");
    // A state that was never sent needs no update of its own.
    if (type === "update" && pending.types.has("initial")) return;
    pending.types.add(type);
  }

  /** The oldest state that may leave at `now` (monotonic), without taking it. */
  peek(now: number): ReadyState<State> | undefined {
    for (const [id, pending] of this.#pending) {
      if (this.#dueAt(id, pending) > now) continue;
      const type = ORDER.find((candidate) => pending.types.has(candidate));
      if (type === undefined) continue;
      const { state, time, sequence } = pending;
      return { type, state, time, sequence };
    }
    return undefined;
  }

  /** Takes what {@link peek} returned. */
  take(ready: ReadyState<State>, now: number): void {
    const id = this.#keyOf(ready.state);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.types.delete(ready.type);
    this.#pending.delete(id);
    // Deleted first, so that the map stays in the order of sending.
    this.#sentAt.delete(id);
    if (ready.type !== "delete") this.#sentAt.set(id, now);
    // Behind the others, so that the scan for what is due meets it last.
    if (pending.types.size > 0) this.#pending.set(id, pending);
    this.#forget(now);
  }

  /** When the next state may leave; `undefined` if nothing waits. */
  nextDueAt(): number | undefined {
    let earliest: number | undefined;
    for (const [id, pending] of this.#pending) {
      const dueAt = this.#dueAt(id, pending);
      if (earliest === undefined || dueAt < earliest) earliest = dueAt;
    }
    return earliest;
  }

  clear(): void {
    this.#pending.clear();
    this.#sentAt.clear();
  }

  #dueAt(id: string, pending: Pending<State>): number {
    const sentAt = this.#sentAt.get(id);
    // An end can overtake nothing: updates of an unknown thing are ignored.
    if (sentAt === undefined || pending.types.has("delete")) return 0;
    return sentAt + this.#spacingMs;
  }

  /** Entries are in the order of sending: the old ones are in front. */
  #forget(now: number): void {
    for (const [id, sentAt] of this.#sentAt) {
      if (sentAt + this.#spacingMs > now) return;
      this.#sentAt.delete(id);
    }
  }
}
