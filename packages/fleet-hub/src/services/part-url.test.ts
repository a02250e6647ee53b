import { describe, expect, it } from "vitest";
import {
  createTunnelKey,
  dials,
  hasAutoTunnel,
  hasOwnKey,
  keyOf,
  roleOf,
  tunnelPortOf,
  withKey,
  withTunnel,
} from "./part-url.ts";

describe("URLs of parts", () => {
  it("makes another key each time", () => {
    expect(createTunnelKey()).toMatch(/^[0-9a-f]{32}$/);
    expect(createTunnelKey()).not.toBe(createTunnelKey());
  });

  it("changes a key and nothing else, also where readers would fill in or refuse", () => {
    const url = "client://a:1,b:2/:8000-8010?min=8&x";
    expect(withKey(url, "p@s/s")).toBe("client://p%40s%2Fs@a:1,b:2/:8000-8010?min=8&x");
    expect(withKey("server://old@:auto/:1?tls=1", undefined)).toBe("server://:auto/:1?tls=1");
    expect(keyOf(withKey("server://old@:1/:2", "p@s/s"))).toBe("p@s/s");
    expect(keyOf("server://:1/:2")).toBeUndefined();
  });

  it("tells a key of one's own from none and from a masked one", () => {
    expect(hasOwnKey("server://k@:1/:2")).toBe(true);
    expect(hasOwnKey("server://***@:1/:2")).toBe(false);
    expect(hasOwnKey("server://@:1/:2")).toBe(false);
    expect(hasOwnKey("server://:1/:2")).toBe(false);
  });

  it("fills in where the server is", () => {
    expect(hasAutoTunnel("client://auto/:80")).toBe(true);
    expect(hasAutoTunnel("client://k@auto/:80?min=1")).toBe(true);
    expect(hasAutoTunnel("client://auto:1/:80")).toBe(false);
    expect(withTunnel("client://k@auto/:80?min=1", "fe80::1", 7)).toBe(
      "client://k@[fe80::1]:7/:80?min=1",
    );
    expect(dials("client://k@[fe80::1]:7/:80", "fe80::1", 7)).toBe(true);
    expect(dials("client://k@h:7,i:8/:80", "h", 7)).toBe(false);
    expect(dials("client://:7/:80", "", 7)).toBe(false);
    expect(tunnelPortOf("server://k@[::]:7000/:1-5")).toBe(7000);
  });

  it("refuses what is no tunnel's, without a key in the message", () => {
    expect(roleOf("SERVER://:1/:2")).toBe("server");
    for (const url of ["master://secret@:1", "secret", "http://secret@x"]) {
      expect(() => roleOf(url)).toThrow(
        expect.objectContaining({
          code: "INVALID_URL",
          message: expect.not.stringContaining("secret"),
        }),
      );
    }
    expect(() => keyOf("server://secret@:x/:1")).toThrow(
      expect.objectContaining({
        code: "INVALID_URL",
        message: expect.not.stringContaining("secret"),
      }),
    );
  });
});
