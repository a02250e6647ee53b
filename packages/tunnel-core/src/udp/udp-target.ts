import { isIP } from "node:net";
import { formatHostPort, type HostPort } from "@nodepass/url-config";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import type { ResolvedAddress } from "../names/name-cache.ts";
import { TargetHealth } from "../target/target-health.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { Endpoint } from "../wire/endpoint.ts";
import {
  type LinkParts,
  type TargetReceiver,
  type UdpCandidate,
  UdpTargetLink,
} from "./udp-target-link.ts";
import { WaitingDatagrams } from "./waiting-datagrams.ts";

/** Most bytes that all sessions together keep for a next address. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** What sessions know together of the targets for UDP. */
export class UdpTargets implements LinkParts {
  readonly context: TunnelContext;
  readonly health: TargetHealth;
  /** Source address, or `undefined` for the system's choice. */
  readonly localAddress: string | undefined;
  /** What sessions keep for the next address, in case theirs refuses. */
  readonly kept = new WaitingDatagrams(MAX_KEPT_BYTES);
  readonly searches: DeadlineQueue<UdpTargetLink>;
  /** The address of a target (as `host:port`) that served last, of those it has. */
  readonly #served = new Map<string, string>();

  constructor(context: TunnelContext) {
    this.context = context;
    this.health = new TargetHealth(context, "udp");
    this.searches = new DeadlineQueue(context.limits.udpDialTimeoutMs, (link) => link.timeUp());
    const { dial } = context.settings;
    this.localAddress = dial === "auto" ? undefined : dial;
  }

  /** Whether there can be a next address: the targets may be set anew. */
  get keeps(): boolean {
    const { targets } = this.context.settings;
    return targets.length > 1 || targets.some(({ host }) => isIP(host) === 0);
  }

  /**
   * A link to the next target in turn that a socket can be connected to.
   *
   * @param source the user's address
   * @param place which port of a range is wanted
   */
  open(receiver: TargetReceiver, source?: Endpoint, place = 0): UdpTargetLink {
    const link = new UdpTargetLink(this, receiver, source, place);
    link.open();
    return link;
  }

  /** No link is opened any more; those that are open close by themselves. */
  close(): void {
    this.searches.clear();
  }

  /**
   * The addresses to try for a session, in order, each looked up when it is its turn.
   *
   * @throws {TunnelError} at the end, if there was none
   */
  async *candidates(session: object, address?: string): AsyncGenerator<UdpCandidate, void> {
    let lastError: Error | undefined;
    let some = false;
    for (const target of this.health.turn(session, address)) {
      let addresses: readonly ResolvedAddress[];
      try {
        addresses = this.#inOrder(target, await this.context.names.resolve(target.host));
      } catch (error) {
        lastError = error instanceof Error ? error : new Error(String(error));
        this.health.failed(target, error);
        continue;
      }
      for (const [at, resolved] of addresses.entries()) {
        some = true;
        yield { target, resolved, last: at === addresses.length - 1 };
      }
    }
    if (some) return;
    if (lastError !== undefined) throw lastError;
    const of = this.context.settings.targets.map(({ host }) => host).join(", ");
    throw new TunnelError(
      "TARGET_UNREACHABLE",
      `target ${of} has no address of the family of dial address ${this.localAddress ?? "auto"}`,
    );
  }

  /** This address is the one to begin with: it answered, or the others refused. */
  served({ target, resolved }: UdpCandidate): void {
    this.#served.set(formatHostPort(target), resolved.address);
    const { targets } = this.context.settings;
    if (this.#served.size <= targets.length) return;
    const listed = new Set(targets.map(formatHostPort));
    for (const name of this.#served.keys()) if (!listed.has(name)) this.#served.delete(name);
  }

  /**
   * The address that served last, then IPv4 before IPv6: nothing tells a sender that nobody listens
   * at the other family's address, and 1.14 takes IPv4.
   */
  #inOrder(target: HostPort, addresses: readonly ResolvedAddress[]): readonly ResolvedAddress[] {
    const local = this.localAddress;
    const family = local === undefined ? 0 : isIP(local);
    const first = this.#served.get(formatHostPort(target));
    const rank = (one: ResolvedAddress): number => (one.address === first ? 0 : one.family);
    return addresses
      .filter((one) => family === 0 || one.family === family)
      .toSorted((one, other) => rank(one) - rank(other));
  }
}
