import type { Instance, PeerLink } from "@nodepass/model";
import { Counter, Gauge, type Registry } from "prom-client";

/** The peer is told apart by its number, of which there are as many as may be at once. */
const LABELS = ["id", "alias", "type", "peer"] as const;

interface PeerMetric {
  readonly name: string;
  readonly help: string;
  readonly isTotal: boolean;
  read(peer: PeerLink): number;
}

const metric = (
  name: string,
  help: string,
  read: (peer: PeerLink) => number,
  isTotal = false,
): PeerMetric => ({ name, help, isTotal, read });

const METRICS: readonly PeerMetric[] = [
  metric("up", "1 while the peer is connected", ({ connected }) => (connected ? 1 : 0)),
  metric("ping_seconds", "Round trip to the peer", ({ ping }) => ping / 1000),
  metric("pool_connections", "Ready pool connections of the peer", ({ pool }) => pool),
  metric("tcp_connections", "TCP connections that the peer carries", ({ tcps }) => tcps),
  metric("udp_sessions", "UDP sessions that the peer carries", ({ udps }) => udps),
  metric("users_total", "Users that the peer was given", ({ users }) => users, true),
  metric("tcp_received_bytes_total", "TCP bytes read for the peer", ({ tcprx }) => tcprx, true),
  metric("tcp_sent_bytes_total", "TCP bytes written for the peer", ({ tcptx }) => tcptx, true),
  metric("udp_received_bytes_total", "UDP bytes read for the peer", ({ udprx }) => udprx, true),
  metric("udp_sent_bytes_total", "UDP bytes written for the peer", ({ udptx }) => udptx, true),
];

/**
 * Metrics of each of several peers: none for instances that can have one only.
 *
 * @param list the instances at the scrape under way
 */
export function registerPeerMetrics(registry: Registry, list: () => readonly Instance[]): void {
  for (const { name, help, isTotal, read } of METRICS) {
    const options = {
      name: `nodepass_peer_${name}`,
      help: isTotal ? `${help}; back to 0 when its number is another's` : help,
      labelNames: LABELS,
      registers: [registry],
    };
    const each = (put: (labels: Record<string, string>, value: number) => void): void => {
      for (const { id, alias, type, peers = [] } of list()) {
        for (const peer of peers) put({ id, alias, type, peer: String(peer.number) }, read(peer));
      }
    };
    if (isTotal) {
      new Counter({
        ...options,
        collect() {
          this.reset();
          each((at, value) => this.inc(at, Math.max(0, value)));
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          each((at, value) => this.set(at, value));
        },
      });
    }
  }
}
