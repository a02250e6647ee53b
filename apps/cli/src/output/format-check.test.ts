import { checkUrl } from "@nodepass/url-config";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStyle } from "./colour.ts";
import { formatCheck, formatCheckJson } from "./format-check.ts";

const key = "correct-horse-battery";

describe("formatCheck", () => {
  it("shows a proxy's password nowhere, and hides it in the whole URL", () => {
    const report = checkUrl(`client://${key}@h:1/:2?mode=2&via=http://u:hunter2@p:1`, {});
    const text = formatCheck(report, createStyle(false)) + formatCheckJson(report);
    expect(text).not.toContain("hunter2");
    expect(text).toContain("http://***@p:1");
  });

  it("shows the key nowhere, whatever the URL", () => {
    const part = fc.stringMatching(/^[a-z0-9:/?=&,.[\]-]{0,20}$/);
    fc.assert(
      fc.property(fc.constantFrom("server", "client", "master"), part, (scheme, rest) => {
        const report = checkUrl(`${scheme}://hunter2hunter2@${rest}`, {});
        const text = formatCheck(report, createStyle(false)) + formatCheckJson(report);
        expect(text).not.toContain("hunter2");
      }),
    );
  });
});
