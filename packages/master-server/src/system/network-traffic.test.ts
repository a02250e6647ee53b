import { expect, it } from "vitest";
import { parseNetworkTraffic } from "./network-traffic.ts";

const head = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const line = (name: string, rx: number, tx: number) =>
  `${name.padStart(6)}: ${rx} 10 0 0 0 0 0 0 ${tx} 11 0 0 0 0 0 0\n`;

it("adds up the interfaces that carry traffic of their own", () => {
  const text = head + line("lo", 7, 7) + line("eth0", 100, 200) + line("wlp3s0", 10, 20);
  expect(parseNetworkTraffic(text)).toEqual({ received: 110, sent: 220 });
});

it.each([
  "eth0",
  "ens3",
  "enp0s31f6",
  "enx00e04c680001",
  "wlan0",
  "venet0",
  "wwan0",
  "usb0",
  "ppp0",
])("counts %s", (name) => {
  expect(parseNetworkTraffic(head + line(name, 1, 2))).toEqual({ received: 1, sent: 2 });
});

it.each(
  "lo docker0 veth12ab br-0a1b br0 virbr0 vnet3 cni0 cali9f tun0 tap1 wg0 bond0 eth0.100 dummy0 tailscale0".split(
    " ",
  ),
)("leaves %s out", (name) => {
  expect(parseNetworkTraffic(head + line(name, 1, 2))).toEqual({ received: 0, sent: 0 });
});

it("reads numbers that stick to the colon", () => {
  expect(parseNetworkTraffic(`${head}  eth0:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n`)).toEqual({
    received: 5,
    sent: 6,
  });
});

it.each(["", head, "eth0: 1 2\n", "eth0: x y\n"])("makes zeros of %j", (text) => {
  expect(parseNetworkTraffic(text)).toEqual({ received: 0, sent: 0 });
});
