import type { PartKey, Prepare, Prepared } from "@nodepass/fleet-protocol";
import type { InstanceManager } from "@nodepass/instances";
import { ServiceError } from "@nodepass/model";
import type { MemberPermission } from "@nodepass/model/fleet";
import type { ClientSettings, HostPort, ServerSettings } from "@nodepass/url-config";
import { AutoPorts } from "./auto-ports.ts";
import { dialledAddresses, type TargetRules } from "./targets.ts";
import { tryBind } from "./try-bind.ts";

/** How often other ports are tried where one is taken and the choice is ours. */
const PORT_TRIES = 20;

/** What a member goes by when it is asked what it could run. */
export interface PreparingOptions {
  readonly instances: Pick<InstanceManager, "check" | "list" | "details">;
  readonly allow: readonly MemberPermission[];
  readonly targets: TargetRules | undefined;
  /** The local instance of a part. */
  instanceOf(key: PartKey): string | undefined;
}

type Settings = ServerSettings | ClientSettings;
type Refused = Pick<Prepared, "status" | "reason">;

/** Dry runs: whether a part could run here, and with which ports. Nothing is changed. */
export class Preparing {
  readonly #options: PreparingOptions;
  readonly #ports = new AutoPorts();

  constructor(options: PreparingOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async prepare({ url, key }: Prepare): Promise<Prepared> {
    let last: Refused = { status: 500, reason: "" };
    for (let attempt = 0; attempt < PORT_TRIES; attempt++) {
      const filled = this.#ports.fill(url);
      const id = key === null ? undefined : this.#options.instanceOf(key);
      const outcome = await this.#try(filled.url, id);
      if ("settings" in outcome) {
        this.#ports.hold(filled.ports);
        const { scheme, tunnel } = outcome.settings;
        const tunnelPort = scheme === "server" ? tunnel.port : 0;
        return { ok: true, reason: "", status: 200, url: filled.url, tunnelPort };
      }
      last = outcome;
      if (filled.ports.length === 0 || outcome.status !== 409) break;
    }
    return { ok: false, ...last, url: "", tunnelPort: 0 };
  }

  /** @returns why a URL is not to be run here; `undefined`: it may be */
  refusal(settings: Settings): Refused | undefined {
    const { allow, targets } = this.#options;
    if (!allow.includes("apply")) {
      return { status: 403, reason: "this master's own settings do not allow apply" };
    }
    const barred = targets && dialledAddresses(settings).find(({ host }) => !targets.admits(host));
    if (barred === undefined) return undefined;
    const reason = `this master's own settings do not allow the fleet to connect to ${barred.host || "this machine"}`;
    return { status: 403, reason };
  }

  async #try(url: string, id: string | undefined): Promise<{ settings: Settings } | Refused> {
    let settings: Settings;
    try {
      settings = this.#options.instances.check(url, id);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { status: error.code === "INVALID_URL" ? 400 : 409, reason: error.message };
    }
    const refused = this.refusal(settings);
    if (refused !== undefined) return refused;
    const held = await this.#heldPorts();
    for (const address of listenedAddresses(settings)) {
      // Ours: the check has said that it is shared, or its own.
      if (address.port === 0 || held.has(address.port)) continue;
      const code = await tryBind(address, {
        tcp: settings.tcp || address.tunnel,
        udp: address.udp,
      });
      if (code !== undefined) {
        const where = `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
        return { status: 409, reason: `this master cannot listen on ${where}: ${code}` };
      }
    }
    return { settings };
  }

  async #heldPorts(): Promise<ReadonlySet<number>> {
    const { instances } = this.#options;
    const ports = new Set<number>();
    for (const { id } of await instances.list()) {
      const { tunnelAddress, entryAddress } = instances.details(id) ?? {};
      if (tunnelAddress !== undefined) ports.add(tunnelAddress.port);
      if (entryAddress !== undefined) ports.add(entryAddress.port);
    }
    return ports;
  }
}

/** What a tunnel is sure to listen on. */
function listenedAddresses(
  settings: Settings,
): (HostPort & { readonly tunnel: boolean; readonly udp: boolean })[] {
  const { tunnel, targets, mode, udp } = settings;
  const [entry] = targets;
  if (settings.scheme === "client") return mode === 1 ? [{ ...tunnel, tunnel: false, udp }] : [];
  const listened = [{ ...tunnel, tunnel: true, udp: false }];
  if (mode === 1 && entry !== undefined) listened.push({ ...entry, tunnel: false, udp });
  return listened;
}
