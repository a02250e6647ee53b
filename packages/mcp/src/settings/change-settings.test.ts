import { readUrlFields } from "@nodepass/url-config";
import { describe, expect, it } from "vitest";
import { changeSettings, NO_FIELDS, type SettingTexts } from "./change-settings.ts";

const change = (url: string, texts: SettingTexts) => changeSettings(readUrlFields(url), texts);

describe("changeSettings", () => {
  it.each<[string, SettingTexts, string]>([
    ["server://:1/:2?mode=1", { mode: "2" }, "server://:1/:2?mode=2"],
    ["server://:1/:2?mode=1&tls=1", { mode: "" }, "server://:1/:2?tls=1"],
    ["server://:1/:2", { type: "1", max: "9" }, "server://:1/:2?type=1&max=9"],
    ["server://k@:1/:2", { password: "p@ss" }, "server://p%40ss@:1/:2"],
    ["server://k@:1/:2", { password: "" }, "server://:1/:2"],
    ["server://h:1/:2", { tunnel_address: "", tunnel_port: "3" }, "server://:3/:2"],
    ["server://:1/:2", { tunnel_address: "::1" }, "server://[::1]:1/:2"],
    ["server://:1/:2", { tunnel_address: "[::1]" }, "server://[::1]:1/:2"],
    ["server://:1/:2", { target_address: "web.example" }, "server://:1/web.example:2"],
    ["server://:1/:2", { targets: "a:1, b:2" }, "server://:1/a:1,b:2"],
    ["server://:1/a:1,b:2", { targets: "c:3" }, "server://:1/c:3"],
    // The pair wins nothing over the list.
    ["server://:1/:2", { targets: "a:1", target_port: "9" }, "server://:1/a:1"],
    ["server://:1/:2?max=9", { role: "client" }, "client://:1/:2?max=9"],
    ["server://:1/:2", { crt: "/etc/a b&c.pem" }, "server://:1/:2?crt=%2Fetc%2Fa%20b%26c.pem"],
    ["server://:1/:2?log=inherit", { mode: "1" }, "server://:1/:2?log=inherit&mode=1"],
    ["server://:1/:2", { mode: undefined }, "server://:1/:2"],
  ])("%s with %j is %s", (url, texts, changed) => {
    expect(change(url, texts).url).toBe(changed);
  });

  it("begins a new one", () => {
    const texts = { role: "client", tunnel_port: "1", target_address: "h", target_port: "2" };
    expect(changeSettings(NO_FIELDS, texts)).toEqual({ url: "client://:1/h:2", warnings: [] });
  });

  it.each<[SettingTexts, RegExp]>([
    [{ mode: "9" }, /^mode "9" is not valid \(allowed: 0, 1, 2\)$/],
    [{ tls: "x", min: "0" }, /^tls "x".*0, 1, 2\)$/],
    [{ max: "0", mode: "7" }, /max "0".*1 to 65535\)|mode "7"/],
    [{ read: "5" }, /^read "5" is not valid \(allowed: a duration/],
    [{ role: "master" }, /^role "master" is not valid \(allowed: server, client\)$/],
    [{ tunnel_port: "" }, /^tunnel_port "" is not valid \(allowed: a whole number, 0 to 65535\)$/],
    [{ tunnel_port: "65536" }, /^tunnel_port "65536"/],
    [{ target_port: "1e3" }, /^target_port "1e3"/],
    [
      { tunnel_address: "a/b:1?x" },
      /^tunnel_address "a\/b:1\?x" is not valid \(allowed: a host name or/,
    ],
    [{ target_address: "k@h" }, /^target_address "k@h" is not valid/],
    [{ targets: "h" }, /^targets: address "h" has no port \(allowed: host:port/],
    [{ targets: "" }, /^targets: address/],
    [{ targets: "a:1,,b:2" }, /^targets: address/],
    [
      { mode: "2", tunnel_port: "0", role: "client" },
      /tunnel address .*has port 0, but is dialled \(allowed: port 1/,
    ],
    [{ target_address: "127.0.0.1", target_port: "1" }, /leads back/],
  ])("refuses %j and says what is allowed", (texts, message) => {
    expect(() => change("server://:1/:2", texts)).toThrow(message);
  });

  it("wants the whole list where there are several targets", () => {
    expect(() => change("server://:1/a:1,b:2", { target_port: "3" })).toThrow(
      /2 targets: give targets/,
    );
  });

  it("passes on what masters overlook, and says what was meant", () => {
    expect(change("server://:1/:2", { rat: "3" }).warnings).toEqual([
      expect.stringMatching(
        /^rat "3" is no parameter of NodePass URLs; did you mean rate\?.*ignored$/,
      ),
    ]);
    expect(change("client://:1/:2", { tls: "1" }).warnings).toEqual([
      expect.stringMatching(/only of server and master URLs/),
    ]);
    // What was there before and is not touched.
    expect(change("server://:1/:2?tls=inherit", { mode: "1" }).warnings).toEqual([
      expect.stringMatching(/^tls "inherit"/),
    ]);
  });

  it("shows no key", () => {
    expect(() => change("server://hunter2@:1/:2", { password: "hunter3", mode: "9" })).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/hunter/) }),
    );
  });
});
