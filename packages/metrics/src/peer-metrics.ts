import type { PeerLink } from "@nodepass/model";
import { formatLabels, type MetricsPage } from "./metrics-page.ts";

/** An instance, with the labels that tell it from the others. */
interface ShownInstance {
  readonly instance: { readonly peers?: readonly PeerLink[] | undefined };
  readonly labels: string;
}

interface PeerMetric {
  readonly name: string;
  readonly help: string;
  read(peer: PeerLink): number;
}

/** Most peers of one instance that are shown. */
const MAX_PEERS = 64;

const metric = (name: string, help: string, read: (peer: PeerLink) => number): PeerMetric => ({
  name,
  help,
  read,
});

const METRICS: readonly PeerMetric[] = [
  metric("up", "1 while the peer is connected", ({ connected }) => Number(connected)),
  metric("ping_seconds", "Round trip to the peer", ({ ping }) => ping / 1000),
  metric("pool_connections", "Ready pool connections of the peer", ({ pool }) => pool),
  metric("tcp_connections", "TCP connections that the peer carries", ({ tcps }) => tcps),
  metric("udp_sessions", "UDP sessions that the peer carries", ({ udps }) => udps),
  metric("users_total", "Users that the peer was given", ({ users }) => users),
  metric("tcp_received_bytes_total", "TCP bytes read for the peer", ({ tcprx }) => tcprx),
  metric("tcp_sent_bytes_total", "TCP bytes written for the peer", ({ tcptx }) => tcptx),
  metric("udp_received_bytes_total", "UDP bytes read for the peer", ({ udprx }) => udprx),
  metric("udp_sent_bytes_total", "UDP bytes written for the peer", ({ udptx }) => udptx),
];

/**
 * Writes the metrics of each of several peers: none for instances that can have one only. The label
 * is the peer's number, of which there are as many as may be there at once; addresses have no bound.
 */
export function writePeerMetrics(page: MetricsPage, shown: readonly ShownInstance[]): void {
  const several = shown.filter(({ instance }) => instance.peers !== undefined);
  for (const { name, help, read } of METRICS) {
    const isTotal = name.endsWith("_total");
    page.family(
      `nodepass_peer_${name}`,
      isTotal ? "counter" : "gauge",
      isTotal ? `${help}; back to 0 when its number is another's` : help,
    );
    for (const { instance, labels } of several) {
      for (const peer of instance.peers?.slice(0, MAX_PEERS) ?? []) {
        page.series(`${labels},${formatLabels({ peer: String(peer.number) })}`, read(peer));
      }
    }
  }
}
