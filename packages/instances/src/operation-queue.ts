import { ServiceError } from "@nodepass/model";

/** Runs operations one after the other. */
export class OperationQueue {
  readonly #limit: number;
  #pending = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** @param limit operations at most, the one under way included */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {ServiceError} `UNAVAILABLE` if too many wait already */
  run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#pending >= this.#limit) {
      const message = `${this.#pending} operations are pending already`;
      return Promise.reject(new ServiceError("UNAVAILABLE", message));
    }
    this.#pending++;
    const result = this.#tail.then(operation);
    this.#tail = result.then(
      () => this.#done(),
      () => this.#done(),
    );
    return result;
  }

  #done(): void {
    this.#pending--;
  }
}

/** @throws {ServiceError} `UNAVAILABLE` once `closing` has aborted */
export function assertOpen(closing: AbortSignal): void {
  if (closing.aborted) throw new ServiceError("UNAVAILABLE", "the master is shutting down");
}
