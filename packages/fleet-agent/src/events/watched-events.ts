import type { MemberEvent, Watch } from "@nodepass/fleet-protocol";
import type { InstanceManager } from "@nodepass/instances";
import { type Instance, toWireInstance } from "@nodepass/model";
import { redact } from "@nodepass/url-config";

/** Changes within so long are told once, as they are then, ms. */
const GATHER_MS = 200;
/** Events that are told at a time; the others follow. */
const MAX_AT_ONCE = 250;

/** Whom events are told to. */
export interface WatchedEventsOptions {
  readonly instances: Pick<InstanceManager, "list" | "subscribe">;
  /** @returns whether it went out */
  say(event: MemberEvent): boolean;
}

/**
 * What happens to this member's instances, told while a hub watches. Of one that changes quickly the
 * last state is told and none before it; tunnels' keys are masked.
 */
export class WatchedEvents {
  readonly #options: WatchedEventsOptions;
  /** Not told yet, by the instance's id, the longest waiting first. */
  readonly #waiting = new Map<string, MemberEvent>();
  #unsubscribe: (() => void) | undefined;
  #end: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;

  constructor(options: WatchedEventsOptions) {
    this.#options = options;
  }

  get watched(): boolean {
    return this.#unsubscribe !== undefined;
  }

  watch({ forMs, initial = true }: Watch): void {
    if (forMs === 0) {
      this.stop();
      return;
    }
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.stop(), forMs).unref();
    const isFirst = this.#unsubscribe === undefined;
    this.#unsubscribe ??= this.#options.instances.subscribe((event) => {
      if (event.type === "shutdown" || event.type === "log") return;
      this.#gather(event.type, event.instance);
    });
    if (initial || isFirst) void this.#tellAll();
  }

  /** Nobody watches any more. Idempotent. */
  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    clearTimeout(this.#end);
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#waiting.clear();
  }

  async #tellAll(): Promise<void> {
    const list = await this.#options.instances.list();
    if (!this.watched) return;
    // What has happened meanwhile is newer.
    for (const instance of list) {
      if (!this.#waiting.has(instance.id)) this.#gather("initial", instance);
    }
  }

  #gather(type: MemberEvent["type"], instance: Instance): void {
    const before = this.#waiting.get(instance.id)?.type;
    // Who has not heard of it yet hears of it once.
    const told = type === "update" && before === "create" ? before : type;
    this.#waiting.set(instance.id, { type: told, instance: masked(instance) });
    this.#telling ??= setTimeout(() => this.#tell(), GATHER_MS).unref();
  }

  #tell(): void {
    this.#telling = undefined;
    let told = 0;
    for (const [id, event] of this.#waiting) {
      if (told++ === MAX_AT_ONCE) break;
      this.#waiting.delete(id);
      if (!this.#options.say(event)) return;
    }
    if (this.#waiting.size > 0) this.#telling = setTimeout(() => this.#tell(), GATHER_MS).unref();
  }
}

function masked(instance: Instance): MemberEvent["instance"] {
  const { url, config } = instance;
  return { ...toWireInstance({ ...instance, url: redact(url), config: redact(config) }) };
}
