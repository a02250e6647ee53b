/** A tunnel that shall be there; `ConfiguredTunnel` of `@nodepass/config-file` is one. */
export interface DesiredTunnel {
  /** Unique among the desired; the instance's alias, and what it is known by. */
  readonly name: string;
  readonly url: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it shall run, now and when the master starts. */
  readonly start: boolean;
}

/** An instance as a master tells about it; `RemoteInstance` of `@nodepass/master-client` is one. */
export interface ActualInstance {
  readonly id: string;
  readonly alias: string;
  /** `stopped` or anything else. */
  readonly status: string;
  readonly url: string;
  /** Whether it starts with the master. */
  readonly restart: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a master is asked; `MasterClient` of `@nodepass/master-client` does it. */
export interface InstanceHost {
  list(): Promise<readonly ActualInstance[]>;
  create(url: string, alias?: string): Promise<ActualInstance>;
  change(
    id: string,
    change: {
      readonly alias?: string | undefined;
      readonly restart?: boolean | undefined;
      readonly action?: "start" | "stop" | undefined;
      readonly meta?: { readonly tags: Readonly<Record<string, string>> } | undefined;
    },
  ): Promise<ActualInstance>;
  replaceUrl(id: string, url: string): Promise<ActualInstance>;
  remove(id: string): Promise<void>;
}

/** Tag that says who brought an instance: only such are pruned. */
export const OWNER_TAG = "nodepass.owner";
/** Tag that says under which name: it stays when somebody gives the instance another alias. */
export const NAME_TAG = "nodepass.name";
