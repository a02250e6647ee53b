import type { EventHub, Instance, InstanceEvent } from "@nodepass/model";

/** Log lines kept until the instance has been announced. */
const MAX_HELD_LINES = 64;

/** What subscribers are told of one instance: its creation, then each state once, and its lines. */
export class InstanceFeed {
  readonly #hub: EventHub<InstanceEvent>;
  readonly #view: () => Instance;
  #told: Instance | undefined;
  #announced = false;
  #heldLines: string[] = [];

  /** @param view the instance as it is now; the same object as long as nothing has changed */
  constructor(hub: EventHub<InstanceEvent>, view: () => Instance) {
    this.#hub = hub;
    this.#view = view;
  }

  /** There is this instance now, and what it has logged so far. */
  announce(): void {
    const instance = this.#view();
    this.#announced = true;
    this.#told = instance;
    this.#hub.emit({ type: "create", instance });
    for (const line of this.#heldLines) this.#hub.emit({ type: "log", instance, line });
    this.#heldLines = [];
  }

  /** It was there before anybody subscribed. */
  setAnnounced(): void {
    this.#announced = true;
    this.#told = this.#view();
    this.#heldLines = [];
  }

  /** Its state. @param always also if that is what they were told last */
  tell(always: boolean): void {
    if (!this.#announced) return;
    const instance = this.#view();
    if (!always && this.#told === instance) return;
    this.#told = instance;
    this.#hub.emit({ type: "update", instance });
  }

  /** A line of its log; it waits until the instance has been announced. */
  line(line: string): void {
    if (this.#announced) this.#hub.emit({ type: "log", instance: this.#view(), line });
    else if (this.#heldLines.length < MAX_HELD_LINES) this.#heldLines.push(line);
  }
}
