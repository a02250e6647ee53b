/** Most shared connections of a server that have shown whose they are, beside one for each session. */
const MAX_FORMER = 128;

/** A connection that carries many streams. */
export interface CarryingConnection {
  /** Streams that are open. */
  readonly streams: number;
  /** Closes it now. */
  drop(): void;
}

/**
 * Shared connections of which a stream was a client's: those of the present sessions, and those of
 * earlier ones that still carry somebody. When there are too many, the oldest without a stream
 * goes, then the oldest.
 */
export class ProvedConnections {
  readonly #connections = new Set<CarryingConnection>();
  readonly #sessions: { readonly size: number };

  /** @param sessions at the port. @default one */
  constructor(sessions: { readonly size: number } = { size: 1 }) {
    this.#sessions = sessions;
  }

  /** @returns whether it is new here */
  add(connection: CarryingConnection): boolean {
    if (this.#connections.has(connection)) return false;
    if (this.#connections.size >= MAX_FORMER + this.#sessions.size) {
      const all = [...this.#connections];
      const oldest = all.find(({ streams }) => streams === 0) ?? all[0];
      if (oldest !== undefined) {
        this.#connections.delete(oldest);
        oldest.drop();
      }
    }
    this.#connections.add(connection);
    return true;
  }

  /** It has closed. */
  delete(connection: CarryingConnection): void {
    this.#connections.delete(connection);
  }
}
