/** Hands events to their subscribers, at once and in order. */
export class EventHub<Event> {
  readonly #listeners = new Set<{ readonly listener: (event: Event) => void }>();
  readonly #onFailure: (error: unknown) => void;
  readonly #onSubscribers: (any: boolean) => void;

  /**
   * @param onFailure what a listener threw; the others get the event all the same
   * @param onSubscribers there is somebody, there is nobody any more
   */
  constructor(
    onFailure: (error: unknown) => void,
    onSubscribers: (any: boolean) => void = () => undefined,
  ) {
    this.#onFailure = onFailure;
    this.#onSubscribers = onSubscribers;
  }

  get hasSubscribers(): boolean {
    return this.#listeners.size > 0;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (event: Event) => void): () => void {
    // The same function may subscribe twice.
    const subscription = { listener };
    this.#listeners.add(subscription);
    if (this.#listeners.size === 1) this.#onSubscribers(true);
    return () => {
      if (this.#listeners.delete(subscription) && this.#listeners.size === 0) {
        this.#onSubscribers(false);
      }
    };
  }

  emit(event: Event): void {
    for (const { listener } of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }
}
