import {
  type Instance,
  type InstanceAction,
  type InstanceChange,
  type ReplacedInstance,
  ServiceError,
} from "@nodepass/model";
import { ChangeSignal } from "./change-signal.ts";
import { changedParts } from "./changed-parts.ts";
import { checkChange } from "./check-change.ts";
import type { ChangeOptions, ReplaceOptions } from "./instance-manager.ts";
import type { InstanceRegistry } from "./instance-registry.ts";
import { readInstanceUrl, tunnelSpec } from "./instance-url.ts";
import type { ManagedInstance } from "./managed-instance.ts";
import type { ResolvedManagerOptions } from "./manager-options.ts";
import { assertOpen } from "./operation-queue.ts";

/** What {@link InstanceOperations} works on. */
export interface InstanceOperationsParts {
  readonly options: ResolvedManagerOptions;
  readonly registry: InstanceRegistry;
  /** Aborts when the manager closes: nothing is begun any more. */
  readonly closing: AbortSignal;
  /** Called when an instance is stopped and gone from disk, with its last state. */
  onRemoved(last: Instance): void;
}

/**
 * What is done to an instance that is there: one operation after the other for each instance, each
 * saved before it touches the tunnel, so that one that cannot be saved costs no tunnel that runs.
 */
export class InstanceOperations {
  readonly #options: ResolvedManagerOptions;
  readonly #registry: InstanceRegistry;
  readonly #closing: AbortSignal;
  readonly #onRemoved: (last: Instance) => void;

  constructor({ options, registry, closing, onRemoved }: InstanceOperationsParts) {
    this.#options = options;
    this.#registry = registry;
    this.#closing = closing;
    this.#onRemoved = onRemoved;
  }

  update(id: string, change: InstanceChange, options: ChangeOptions): Promise<Instance> {
    return this.#operate(
      id,
      () => checkChange(change),
      async (instance) => {
        const { alias, restart, meta, action } = change;
        const { record } = instance;
        if (changesRun(change, instance)) instance.assertManagedBy(options);
        const starts = action === "start" || (action === "restart" && !instance.life.isActive);
        if (starts && !this.#holdsAddresses(instance)) instance.claimAddresses();
        if (action === "reset") await instance.life.refresh();
        const undo = instance.apply({
          ...(alias !== undefined && { alias }),
          ...(restart !== undefined && { restart }),
          ...(meta !== undefined && {
            meta: {
              peer: { ...(meta.peer ?? record.meta.peer) },
              tags: { ...(meta.tags ?? record.meta.tags) },
            },
          }),
          ...(action !== undefined && action !== "reset" && { running: action !== "stop" }),
        });
        const undoReset = action === "reset" ? instance.resetTraffic() : undefined;
        try {
          await this.#registry.save();
        } catch (error) {
          undo();
          undoReset?.();
          if (starts) instance.releaseClaims();
          throw error;
        }
        if (alias !== undefined || restart !== undefined || meta !== undefined || undoReset) {
          instance.tell(false);
        }
        await this.#act(instance, action);
        return instance.view;
      },
    );
  }

  replaceUrl(id: string, text: string, options: ReplaceOptions): Promise<ReplacedInstance> {
    const { byFile = false, running = true } = options;
    return this.#operate(
      id,
      () => undefined,
      async (instance) => {
        const { record, origin } = instance;
        if (origin !== undefined && !byFile) {
          const { file, name } = origin;
          const message = `the instance comes from ${file} (${name}): its URL is changed there`;
          throw new ServiceError("CONFLICT", message);
        }
        instance.assertManagedBy(options);
        if (record.url === text) {
          throw new ServiceError("SAME_URL", "the instance has this URL already");
        }
        const { masterDefaults, environment } = this.#options;
        const url = readInstanceUrl(text, masterDefaults);
        if (running) instance.claimAddresses(url);
        const before = { url: record.url, type: record.type, running: record.running };
        Object.assign(record, { url: text, type: url.settings.scheme, running });
        try {
          await this.#registry.save();
        } catch (error) {
          Object.assign(record, before);
          instance.releaseClaims();
          throw error;
        }
        const changed = changedParts(instance.spec, url.settings);
        if (!running) {
          await instance.end(environment.shutdownTimeoutMs);
          instance.setUrl(text, url);
          instance.tell(false);
          const changes = { inPlace: [], restarted: changed };
          return { ...instance.view, warnings: instance.warnings, changes };
        }
        const outcome = await instance.life.change(tunnelSpec(url.settings));
        if (outcome === "refused") await instance.endForStart(environment.shutdownTimeoutMs, url);
        instance.setUrl(text, url);
        if (outcome === "refused") await this.#begin(instance);
        else {
          instance.releaseClaims();
          await instance.life.settled(this.#closing);
        }
        instance.tell(false);
        const changes =
          outcome === "inPlace"
            ? { inPlace: changed, restarted: [] }
            : { inPlace: [], restarted: changed };
        return { ...instance.view, warnings: instance.warnings, changes };
      },
    );
  }

  async remove(id: string, options: ChangeOptions): Promise<void> {
    await this.#operate(
      id,
      () => undefined,
      async (instance) => {
        instance.assertManagedBy(options);
        await this.#registry.forget(instance);
        await instance.end(this.#options.environment.shutdownTimeoutMs);
        this.#registry.drop(instance);
        this.#onRemoved(instance.view);
      },
    );
  }

  async #act(instance: ManagedInstance, action: InstanceAction | undefined): Promise<void> {
    const { restartPauseMs, environment } = this.#options;
    if (action === "start") {
      await this.#begin(instance);
    } else if (action === "stop") {
      await instance.end(environment.shutdownTimeoutMs);
    } else if (action === "restart") {
      if (instance.life.isActive) {
        await instance.endForStart(environment.shutdownTimeoutMs);
        // Dashboards look every 200 ms for the stop.
        await new ChangeSignal().until(() => false, restartPauseMs, this.#closing);
      }
      await this.#begin(instance);
    }
  }

  async #begin(instance: ManagedInstance): Promise<void> {
    if (this.#closing.aborted) return;
    instance.begin();
    await instance.life.settled(this.#closing);
  }

  /** It is there already, or will be: nobody else can have what it binds. */
  #holdsAddresses({ life: { phase } }: ManagedInstance): boolean {
    return phase !== "stopped" && phase !== "waiting";
  }

  /** Runs an operation on an instance when those before it are through. */
  async #operate<T>(
    id: string,
    check: () => void,
    operation: (instance: ManagedInstance) => Promise<T>,
  ): Promise<T> {
    const instance = this.#registry.get(id);
    if (instance === undefined) throw notFound();
    check();
    return instance.operations.run(() => {
      assertOpen(this.#closing);
      if (instance.removed) throw notFound();
      return operation(instance);
    });
  }
}

/** Whether a change is more than a name, tags, counters set to zero, or a restart of what runs. */
function changesRun(
  { restart, action, meta }: InstanceChange,
  { life, record }: ManagedInstance,
): boolean {
  if (restart !== undefined || action === "start" || action === "stop") return true;
  if (action === "restart" && !life.isActive) return true;
  const { peer } = record.meta;
  return meta?.peer !== undefined && meta.peer.sid !== peer.sid;
}

/** Nobody has this id. */
export function notFound(): ServiceError {
  return new ServiceError("NOT_FOUND", "no such instance");
}
