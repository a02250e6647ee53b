import { describe, expect, test } from "vitest";
import { format } from "./format-url.ts";
import { describeParameters, parameters } from "./parameters.ts";
import { parse } from "./parse-url.ts";

const bases = {
  server: "server://h:1/t:2",
  client: "client://h:1/t:2",
  master: "master://h:1",
} as const;

describe("the table of parameters", () => {
  test.each(Object.entries(parameters))(
    "%s: its name is its key, its text its value",
    (key, it) => {
      expect(it.name).toBe(key);
      expect(it.meaning).not.toBe("");
      if (it.defaultText !== undefined) {
        expect(it.read(it.defaultText)).toEqual({ value: it.defaultValue });
      }
    },
  );

  test.each(describeParameters())("$name: giving the default changes nothing", (description) => {
    for (const scheme of description.schemes) {
      if (description.defaultText === undefined) continue;
      const url = `${bases[scheme]}?${description.name}=${description.defaultText}`;
      expect(parse(url)).toEqual(parse(bases[scheme]));
    }
  });

  test("names exactly what a canonical URL has", () => {
    for (const [scheme, base] of Object.entries(bases)) {
      // What is left out at its default.
      const lists = "allow=::1&deny=::2";
      const tunnels =
        "&lbs=2&sticky=1&trust=::1&rateconn=1&slotip=1&udpidle=1s&quota=1GB&quotaday=2";
      const own = {
        server: `${tunnels}&crt=a&key=b&ban=1&host=a.example`,
        client: tunnels,
        master: "&crt=a&key=b",
      };
      const canonical = format(parse(`${base}?${lists}${own[scheme as keyof typeof own]}`));
      const query = new URLSearchParams(canonical.slice(canonical.indexOf("?")));
      const names = describeParameters()
        .filter(({ schemes }) => schemes.some((name) => name === scheme))
        .map(({ name }) => name);
      expect([...query.keys()]).toEqual(names.sort());
    }
  });
});
