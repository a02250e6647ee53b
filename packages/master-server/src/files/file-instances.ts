import {
  type ActualInstance,
  apply,
  type DesiredTunnel,
  type Host,
  instanceHost,
  NAME_TAG,
  OWNER_TAG,
  plan,
  type Step,
} from "@nodepass/desired-state";
import type { InstanceManager } from "@nodepass/instances";
import { type Instance, type Logger, ServiceError } from "@nodepass/model";

/** Whose instances those of the master's own files are; a file's name, as `apply` has it, is another. */
const OWNER = "(files of the master)";

/** A tunnel of a file; `ConfiguredTunnel` of `@nodepass/config-file` is one. */
export interface FileTunnel extends DesiredTunnel {
  readonly origin: { readonly file: string };
}

type InstanceStep = Step<DesiredTunnel, ActualInstance>;

/** Makes the instances of a master what files say, and marks them. */
export class FileInstances {
  readonly #manager: InstanceManager;
  readonly #logger: Logger;
  /** Of the last files, which of them were to run. */
  #started: ReadonlyMap<string, boolean> = new Map();

  constructor(manager: InstanceManager, logger: Logger) {
    this.#manager = manager;
    this.#logger = logger;
  }

  /**
   * Does what differs: instances that files brought and do not have any more are removed, others are
   * not touched. What somebody started or stopped stays so unless the file says otherwise than before.
   *
   * @returns whether all of it could be done; what could not is logged
   */
  async become(tunnels: readonly FileTunnel[]): Promise<boolean> {
    const host = this.#host();
    const differing = await plan(tunnels, host, { owner: OWNER, prune: true });
    const steps = differing
      .map((step) => this.#withoutForeignWill(step))
      .filter((step) => step.kind !== "change" || step.changes.length > 0);
    // Before the first is changed: nobody else is to change it meanwhile.
    await this.#mark(tunnels);
    const outcomes = await apply(steps, host, { owner: OWNER });
    await this.#mark(tunnels);
    this.#started = new Map(tunnels.map(({ name, start }) => [name, start]));
    for (const { step, error } of outcomes) {
      const { kind, name } = step;
      const changes = step.kind === "change" ? step.changes.join(", ") : undefined;
      if (error === undefined) {
        this.#logger.info({ step: kind, name, changes }, "instance as its file says");
      } else {
        const reason = error.message;
        this.#logger.error({ step: kind, name, changes, reason }, "file not in force");
      }
    }
    return outcomes.every(({ error }) => error === undefined);
  }

  /** At the first files after a start everything is as they say; later only what they changed. */
  #withoutForeignWill(step: InstanceStep): InstanceStep {
    if (step.kind !== "change") return step;
    const { start, name } = step.wanted;
    const before = this.#started.get(name);
    if (before === undefined || before !== start) return step;
    return {
      ...step,
      changes: step.changes.filter((change) => change !== "start" && change !== "stop"),
    };
  }

  async #mark(tunnels: readonly FileTunnel[]): Promise<void> {
    const files = new Map(tunnels.map(({ name, origin }) => [name, origin.file]));
    for (const { id, meta } of await this.#manager.list()) {
      const name = nameIn(meta.tags);
      const file = name === undefined ? undefined : files.get(name);
      this.#manager.setOrigin(
        id,
        name === undefined || file === undefined ? undefined : { file, name },
      );
    }
  }

  #host(): Host<DesiredTunnel, ActualInstance> {
    const manager = this.#manager;
    return instanceHost({
      list: async () => (await manager.list()).map(toActual),
      create: async (url, alias) => toActual(await manager.create({ url, alias })),
      change: async (id, { meta, ...rest }) => {
        const change = meta === undefined ? rest : { ...rest, meta: { tags: meta.tags } };
        return toActual(await manager.update(id, change));
      },
      replaceUrl: async (id, url) => {
        try {
          return toActual(await manager.replaceUrl(id, url, { byFile: true }));
        } catch (error) {
          const now = await manager.get(id);
          // It differs in what the master hands down only.
          if (error instanceof ServiceError && error.code === "SAME_URL" && now)
            return toActual(now);
          throw error;
        }
      },
      remove: (id) => manager.remove(id),
    });
  }
}

function toActual({ id, alias, status, url, restart, meta }: Instance): ActualInstance {
  return { id, alias, status, url, restart, tags: meta.tags };
}

/** Under which name a file of this master brought it. */
function nameIn(tags: Readonly<Record<string, string>>): string | undefined {
  return tags[OWNER_TAG] === OWNER ? tags[NAME_TAG] : undefined;
}
