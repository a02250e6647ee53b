import { BlockList } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AddressSet } from "./address-set.ts";

test.each([
  [
    ["10.0.0.0/8"],
    ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
    ["9.255.255.255", "11.0.0.0"],
  ],
  [["192.0.2.77/24"], ["192.0.2.0", "192.0.2.255"], ["192.0.3.0"]],
  [["192.0.2.1"], ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
  [["0.0.0.0/0"], ["0.0.0.0", "255.255.255.255"], ["::1", "2001:db8::1"]],
  [["::/0"], ["::", "2001:db8::1", "fe80::1%eth0"], ["10.0.0.1", "::ffff:10.0.0.1"]],
  [["2001:db8::/33"], ["2001:db8:7fff::1"], ["2001:db8:8000::", "2001:db7:ffff::"]],
  [["2001:DB8::1"], ["2001:db8:0:0::1"], ["2001:db8::2"]],
  [["::ffff:10.0.0.0/104"], ["10.9.9.9"], ["11.0.0.1"]],
  [["64:ff9b::192.0.2.0/120"], ["64:ff9b::c000:2ff"], ["64:ff9b::c000:300"]],
  [[], [], ["10.0.0.1", "::1"]],
  [["10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"], ["10.0.0.1", "10.200.0.1"], ["11.0.0.0"]],
])("%j has %j and not %j", (networks, inside, outside) => {
  const set = new AddressSet(networks);
  for (const address of inside) expect([address, set.has(address)]).toEqual([address, true]);
  for (const address of outside) expect([address, set.has(address)]).toEqual([address, false]);
  expect(set.has("no address")).toBe(false);
  expect(set.isEmpty).toBe(networks.length === 0);
});

test("says what Node's own BlockList says, for any networks and addresses", () => {
  // Few bits, so that networks and addresses meet.
  const v4 = fc.array(fc.constantFrom(0, 1, 127, 128, 255), { minLength: 4, maxLength: 4 });
  const v6 = fc
    .array(fc.constantFrom("0", "1", "7fff", "8000", "ffff"), { minLength: 8, maxLength: 8 })
    // Node takes IPv4 addresses for those of ::ffff:0:0/96, here `::/0` is IPv6 alone.
    .filter(([first]) => first !== "0");
  const address = fc.oneof(
    v4.map((octets) => octets.join(".")),
    v6.map((groups) => groups.join(":")),
  );
  const network = fc
    .tuple(address, fc.nat(128))
    .map(([at, bits]) => [at, at.includes(":") ? Math.max(16, bits) : bits % 33] as const);
  fc.assert(
    fc.property(fc.array(network, { maxLength: 8 }), fc.array(address), (networks, asked) => {
      const list = new BlockList();
      for (const [at, bits] of networks)
        list.addSubnet(at, bits, at.includes(":") ? "ipv6" : "ipv4");
      const set = new AddressSet(networks.map((block) => block.join("/")));
      for (const one of [...asked, ...networks.map(([at]) => at)]) {
        const expected = list.check(one, one.includes(":") ? "ipv6" : "ipv4");
        expect([one, set.has(one)]).toEqual([one, expected]);
      }
    }),
    { numRuns: 2000 },
  );
});
