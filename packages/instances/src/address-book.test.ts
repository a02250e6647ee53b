import { parseTunnelUrl } from "@nodepass/url-config";
import { expect, it } from "vitest";
import { AddressBook, overlaps, wantedAddresses } from "./address-book.ts";

const at = (host: string, port: number) => ({ host, port, tcp: true, udp: true });

it("finds who holds an address, but not the asker", () => {
  const book = new AddressBook();
  book.claim("a", [at("127.0.0.1", 80), at("127.0.0.2", 80)]);
  expect(book.conflict("b", [at("", 81), at("", 80)])).toEqual({
    address: at("", 80),
    holder: "a",
  });
  expect(book.conflict("a", [at("", 80)])).toBeUndefined();
  expect(book.conflict("b", [at("127.0.0.3", 80)])).toBeUndefined();
});

it("replaces and releases claims, and keeps those of others on the same port", () => {
  const book = new AddressBook();
  book.claim("a", [at("127.0.0.1", 80)]);
  book.claim("b", [at("127.0.0.2", 80)]);
  book.claim("a", [at("127.0.0.1", 90)]);
  expect(book.conflict("c", [at("127.0.0.1", 80)])).toBeUndefined();
  expect(book.conflict("c", [at("127.0.0.1", 90)])?.holder).toBe("a");
  book.release("a");
  expect(book.conflict("c", [at("127.0.0.1", 90)])).toBeUndefined();
  expect(book.conflict("c", [at("127.0.0.2", 80)])?.holder).toBe("b");
});

it("a users' port is shared by other names, and by nothing else", () => {
  const claimed = (query: string, at = ":443") => {
    const [entry] = wantedAddresses(parseTunnelUrl(`server://k@:0/${at}?mode=1${query}`));
    if (entry === undefined) throw new Error("no address");
    return entry;
  };
  const pairs: readonly (readonly [string, string, boolean])[] = [
    ["", "&host=a.example", false],
    ["&host=a.example", "&host=b.example", false],
    ["&host=a.example,c.example", "&host=b.example,c.example", true],
    ["", "", true],
  ];
  for (const [one, other, expected] of pairs) {
    expect([one, other, overlaps(claimed(one), claimed(other))]).toEqual([one, other, expected]);
  }
  expect(overlaps(claimed("&host=a.example"), claimed("&host=b.example", "0.0.0.0:443"))).toBe(
    true,
  );
  expect(claimed("&host=a.example").udp).toBe(false);
});
