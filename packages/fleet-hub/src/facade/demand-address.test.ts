import { expect, it } from "vitest";
import { demandAddress } from "./demand-address.ts";

it.each(["", "edge.example.org", "edge", "192.0.2.1", "2001:db8::1", "fe80::1%eth0"])(
  "%j is an address of a master",
  (text) => {
    expect(() => demandAddress(text)).not.toThrow();
  },
);

it.each([
  ...["http://x y/", "a,b", "edge.example.org:80", "[2001:db8::1]", "192.0.2", "a b", " a", "a/b"],
  ...["0.0.0.0", "::", "user@a", "-a", "a".repeat(254)],
])("%j is none, and is named", (text) => {
  expect(() => demandAddress(text)).toThrow(
    `address: ${JSON.stringify(text.slice(0, 80))} is neither a host name nor an IP address`,
  );
});
