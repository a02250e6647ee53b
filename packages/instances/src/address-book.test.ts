import { expect, it } from "vitest";
import { AddressBook } from "./address-book.ts";

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
