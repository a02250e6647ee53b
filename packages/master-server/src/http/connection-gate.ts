/** What of a socket the gate needs. */
export interface GatedConnection {
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** Keeps the number of connections bounded, whoever opens them. */
export interface ConnectionGate<C extends GatedConnection> {
  /** Connections now. */
  readonly size: number;
  /**
   * Takes a new connection in. When the house is full, the one that has waited longest for a
   * request is closed for it; if none waits, the one that keeps its own request waiting longest; if
   * there is none, the new one is closed.
   *
   * @returns whether it was taken in
   */
  admit(connection: C): boolean;
  /** A request came on it: it does not wait. @returns a function for the request's end */
  enter(connection: C): () => void;
  /** Requests on it that are being answered. */
  requestsOn(connection: C): number;
  /** Closes all. */
  destroy(): void;
}

/**
 * Node's own `maxConnections` refuses whoever comes last, so that idle or slow connections of one
 * client would keep everybody else out.
 *
 * @param isSlow whether the server waits for the client of a request: for the rest of its body, or for it to
 *   read its answer
 */
export function createConnectionGate<C extends GatedConnection>(
  maxConnections: number,
  isSlow: (connection: C) => boolean = () => false,
): ConnectionGate<C> {
  /** Requests being answered on each connection. */
  const requests = new Map<C, number>();
  /** Those with none, longest first. */
  const waiting = new Set<C>();
  /** Those with some, the one whose last request came first before the others. */
  const busy = new Set<C>();

  const forget = (connection: C): void => {
    requests.delete(connection);
    waiting.delete(connection);
    busy.delete(connection);
  };

  const longestWaiting = (): C | undefined => {
    const [longest] = waiting;
    if (longest !== undefined) return longest;
    for (const connection of busy) if (isSlow(connection)) return connection;
    return undefined;
  };

  return {
    get size() {
      return requests.size;
    },
    admit(connection) {
      if (requests.size >= maxConnections) {
        const longest = longestWaiting();
        if (longest === undefined) {
          connection.destroy();
          return false;
        }
        forget(longest);
        longest.destroy();
      }
      requests.set(connection, 0);
      waiting.add(connection);
      connection.once("close", () => forget(connection));
      return true;
    },
    enter(connection) {
      const before = requests.get(connection);
      // Closed or never admitted: nothing to count.
      if (before === undefined) return () => undefined;
      requests.set(connection, before + 1);
      waiting.delete(connection);
      busy.delete(connection);
      busy.add(connection);
      let left = false;
      return () => {
        const count = requests.get(connection);
        if (left || count === undefined) return;
        left = true;
        requests.set(connection, count - 1);
        if (count !== 1) return;
        busy.delete(connection);
        waiting.add(connection);
      };
    },
    requestsOn: (connection) => requests.get(connection) ?? 0,
    destroy() {
      for (const connection of [...requests.keys()]) connection.destroy();
    },
  };
}
