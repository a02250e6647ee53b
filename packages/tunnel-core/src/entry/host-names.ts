/**
 * Finds who has a name: one that names it whole, or with `*.` a domain that it is below, the longest
 * first; else who names none.
 */
export class HostNames<T> {
  readonly #whole = new Map<string, T>();
  readonly #below = new Map<string, T>();
  #rest: T | undefined;

  /** The last who comes with a name has it. @param names none: it gets what nobody else names */
  add(names: readonly string[], taker: T): void {
    if (names.length === 0) this.#rest = taker;
    for (const name of names) {
      if (name.startsWith("*.")) this.#below.set(name.slice(2), taker);
      else this.#whole.set(name, taker);
    }
  }

  /** @param name lower case, without a final dot; `undefined`: none was given */
  find(name: string | undefined): T | undefined {
    if (name === undefined) return this.#rest;
    const whole = this.#whole.get(name);
    if (whole !== undefined) return whole;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const below = dot === 0 ? undefined : this.#below.get(name.slice(dot + 1));
      if (below !== undefined) return below;
    }
    return this.#rest;
  }
}
