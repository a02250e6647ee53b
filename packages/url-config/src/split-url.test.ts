import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinUrl, splitUrl } from "./split-url.ts";

describe("joinUrl", () => {
  it("changes one part and leaves the others as they are written", () => {
    const parts = splitUrl("client://o%40ld@a:1,b:2/:auto?min=8&x#y");
    expect(joinUrl({ ...parts, userInfo: "new", authority: "c:3" })).toBe(
      "client://new@c:3/:auto?min=8&x#y",
    );
    expect(joinUrl({ ...parts, userInfo: undefined })).toBe("client://a:1,b:2/:auto?min=8&x#y");
  });

  it("undoes splitUrl for any text", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `server://${rest}`),
      fc
        .array(fc.constantFrom("server://", "@", ":1", "/", "?", "#", "a", "&"))
        .map((all) => all.join("")),
    );
    fc.assert(fc.property(text, (url) => joinUrl(splitUrl(url)) === url));
  });
});
