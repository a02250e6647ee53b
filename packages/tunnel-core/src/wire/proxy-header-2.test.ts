import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { proxyHeader } from "./proxy-header.ts";
import { proxyHeader2, readProxyHeader } from "./proxy-header-2.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const hex = (text: string): string => bytes(text).toString("hex");

describe("version 2", () => {
  const target4 = { address: "192.0.2.2", port: 80 };
  const target6 = { address: "2001:db8::2", port: 443 };

  test.each([
    ["192.0.2.1", target4, "tcp", "2111000cc0000201c000020200050050"],
    ["::ffff:192.0.2.1", target4, "udp", "2112000cc0000201c000020200050050"],
    [
      "2001:db8::1",
      target6,
      "tcp",
      "2121002420010db800000000000000000000000120010db8000000000000000000000002000501bb",
    ],
    [
      "192.0.2.1",
      target6,
      "udp",
      "2122002400000000000000000000ffffc000020120010db8000000000000000000000002000501bb",
    ],
    ["localhost", target4, "tcp", "20000000"],
  ] as const)("from %s to %o over %s", (address, to, transport, expected) => {
    expect(hex(proxyHeader2({ address, port: 5 }, to, transport))).toBe(SIGNATURE + expected);
  });

  test("says the name that was asked for", () => {
    const header = proxyHeader2({ address: "192.0.2.1", port: 5 }, target4, "tcp", "a.example");
    expect(hex(header)).toBe(
      `${SIGNATURE}21110018c0000201c000020200050050020009${Buffer.from("a.example").toString("hex")}`,
    );
    expect(readProxyHeader(bytes(header))).toEqual({
      bytes: header.length,
      source: { address: "192.0.2.1", port: 5 },
      authority: "a.example",
    });
  });
});

describe("reading", () => {
  const line = "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n";
  test.each([
    [line, { address: "192.0.2.1", port: 5 }],
    ["PROXY TCP6 2001:DB8::1 ::2 65535 80\r\n", { address: "2001:db8::1", port: 65_535 }],
    ["PROXY TCP6 ::ffff:192.0.2.1 ::2 5 80\r\n", { address: "192.0.2.1", port: 5 }],
    ["PROXY UNKNOWN\r\n", undefined],
    ["PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", undefined],
  ])("%j", (text, source) => {
    expect(readProxyHeader(bytes(`${text}GET /`))).toEqual({
      bytes: text.length,
      source,
      authority: undefined,
    });
  });

  test.each([
    "GET / HTTP/1.1\r\n\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 5\r\n",
    "PROXY TCP4 2001:db8::1 192.0.2.2 5 80\r\n",
    "PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n",
    "PROXY TCP4 192.0.2.1  192.0.2.2 5 80\r\n",
    "proxy UNKNOWN\r\n",
    `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    "PROXZ",
    "\r\n\r\n\0\r\nQUIX",
    // Version 1 with the signature of 2; a command that is none; too long; addresses cut.
    bytes(`${Buffer.from(SIGNATURE, "hex").toString("latin1")}\x11\x11\0\x0c`).toString("latin1"),
    bytes(`${Buffer.from(SIGNATURE, "hex").toString("latin1")}\x22\x11\0\x0c`).toString("latin1"),
    bytes(`${Buffer.from(SIGNATURE, "hex").toString("latin1")}\x21\x11\x20\0`).toString("latin1"),
    bytes(`${Buffer.from(SIGNATURE, "hex").toString("latin1")}\x21\x11\0\x04abcd`).toString(
      "latin1",
    ),
  ])("%j is none", (text) => {
    expect(readProxyHeader(bytes(text))).toBe("none");
  });

  test("local commands and other families are the connection's own", () => {
    for (const rest of ["20000000", "21000000", "2131000461626364"]) {
      const header = Buffer.from(SIGNATURE + rest, "hex");
      expect(readProxyHeader(header)).toMatchObject({ source: undefined, bytes: header.length });
    }
  });

  test("is undone by reading, waits at every cut, and takes any bytes", () => {
    const endpoint = fc.record({
      address: fc.oneof(fc.ipV4(), fc.ipV6()),
      port: fc.nat(65_535),
    });
    fc.assert(
      fc.property(
        endpoint,
        endpoint,
        fc.option(fc.domain(), { nil: undefined }),
        (from, to, name) => {
          for (const header of [proxyHeader2(from, to, "tcp", name), proxyHeader(from, to)]) {
            const whole = readProxyHeader(bytes(`${header}rest`));
            if (typeof whole === "string") throw new Error(`${header} is ${whole}`);
            expect(whole.bytes).toBe(header.length);
            for (const cut of [0, 1, 5, 13, 16, header.length - 1]) {
              if (cut >= header.length) continue;
              expect(readProxyHeader(bytes(header.slice(0, cut)))).toBe("more");
            }
          }
          const said = readProxyHeader(bytes(proxyHeader2(from, to, "tcp", name)));
          if (typeof said === "string") throw new Error(said);
          expect(said.source?.port).toBe(from.port);
          expect(said.authority).toBe(name);
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        readProxyHeader(Buffer.from(noise));
        readProxyHeader(Buffer.concat([Buffer.from(`${SIGNATURE}21`, "hex"), noise]));
      }),
    );
  });
});
