/** Parts of an interval: members are spread over them, so that no burst comes at its end. */
const PARTS = 10;

/** Visits each member once in an interval. No timer runs while it is stopped or has no members. */
export class ReportWheel<T> {
  readonly #intervalMs: number;
  readonly #visit: (member: T) => void;
  readonly #parts: readonly Set<T>[] = Array.from({ length: PARTS }, () => new Set<T>());
  readonly #partOf = new Map<T, Set<T>>();
  #at = 0;
  #joined = 0;
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, visit: (member: T) => void) {
    this.#intervalMs = intervalMs;
    this.#visit = visit;
  }

  add(member: T): void {
    if (this.#partOf.has(member)) return;
    const part = this.#parts[this.#joined++ % PARTS];
    if (part === undefined) return;
    part.add(member);
    this.#partOf.set(member, part);
    this.#update();
  }

  delete(member: T): void {
    this.#partOf.get(member)?.delete(member);
    this.#partOf.delete(member);
    this.#update();
  }

  start(): void {
    this.#running = true;
    this.#update();
  }

  stop(): void {
    this.#running = false;
    this.#update();
  }

  #update(): void {
    const needed = this.#running && this.#partOf.size > 0;
    if (needed) {
      this.#timer ??= setInterval(() => this.#turn(), this.#intervalMs / PARTS);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #turn(): void {
    const part = this.#parts[this.#at] ?? [];
    this.#at = (this.#at + 1) % PARTS;
    for (const member of [...part]) this.#visit(member);
  }
}
