import { redact } from "@nodepass/url-config";
import { describe, expect, it } from "vitest";
import { restoreKeys } from "./restore-keys.ts";

const REAL = "server://s3cr@t@0.0.0.0:1/127.0.0.1:2?tls=1&via=http://u:p@proxy:3&log=info";

describe("an URL that was shown with masks", () => {
  it("is the real one when it comes back as it was shown", () => {
    expect(redact(REAL)).toContain("***");
    expect(restoreKeys(redact(REAL), REAL)).toBe(REAL);
  });

  it("keeps what was changed in it", () => {
    const given = redact(REAL).replace(":2?", ":9?").replace("log=info", "log=debug");
    const wanted = REAL.replace(":2?", ":9?").replace("log=info", "log=debug");
    expect(restoreKeys(given, REAL)).toBe(wanted);
  });

  it("takes a new key for what it is", () => {
    const given = "client://new@10.0.0.1:5/127.0.0.1:6?via=http://x:y@other:3";
    expect(restoreKeys(given, REAL)).toBe(given);
  });

  it.each([
    ["server://***@:1/:2", "server://:1/:2"],
    ["server://:1/:2?log=info#x", REAL],
    ["nonsense", REAL],
  ])("leaves %j as it is where there is nothing behind a mask", (given, real) => {
    expect(restoreKeys(given, real)).toBe(given);
  });
});
