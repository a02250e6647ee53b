/** Bytes since boot. */
export interface NetworkTraffic {
  readonly received: number;
  readonly sent: number;
}

/**
 * Interfaces whose traffic is none of its own: loopback, bridges, containers' and virtual
 * machines' ends, bonds and VLANs (their parts are counted), and tunnels (what goes through them
 * is counted on the interface that carries it).
 */
const virtual = new RegExp(
  [
    "^lo$",
    "^(?:br-|docker|podman|veth|virbr|vnet|cni|flannel|cali|cilium|lxc|kube|nodelocaldns)",
    "^(?:tun|tap|wg|tailscale|zt|gre|gretap|erspan|sit|ip6tnl|ip6gre|ip_vti|ip6_vti|tunl|vxlan)",
    "^(?:br|bond|team|dummy|ifb|macvtap|vcan)\\d",
    "[.@]",
  ].join("|"),
);

/**
 * Reads `/proc/net/dev`: the sum over all interfaces that are not virtual.
 *
 * @see proc_pid_net(5)
 */
export function parseNetworkTraffic(text: string): NetworkTraffic {
  let received = 0;
  let sent = 0;
  // The numbers may follow the colon without a space.
  for (const [, name = "", columns = ""] of text.matchAll(/^ *(\S+?): *(\d[\d ]*)$/gm)) {
    const numbers = columns.trim().split(/ +/).map(Number);
    const [rx] = numbers;
    const tx = numbers[8];
    if (rx === undefined || tx === undefined || virtual.test(name)) continue;
    received += rx;
    sent += tx;
  }
  return { received, sent };
}
