import { describe, expect, it } from "vitest";
import { checkUrl } from "./check-url.ts";

const key = "correct-horse-battery";

describe("checkUrl", () => {
  it.each([
    [`server://${key}@:10101/127.0.0.1:80?mode=1`, "Reverse: users connect here, on 127.0.0.1:80"],
    [`server://${key}@:10101/db:5432?mode=2`, "this end dials db:5432"],
    [`server://${key}@:10101/:80`, "Auto mode"],
    [`client://${key}@h:10101/a:80,b:81?mode=1`, "each connection goes on to a:80, b:81 in turn"],
    [`client://${key}@h:10101/[::1]:80?mode=2`, "this end dials [::1]:80"],
    [`client://${key}@h:10101/:80?noudp=1`, "Only TCP is carried"],
    [`server://${key}@:1/:80?mode=1&clients=3`, "goes to the one with the fewest connections."],
    [`server://${key}@:1/:80?clients=3&lbs=1`, "the lowest latency in reverse mode."],
    [`server://${key}@:1/t:80?mode=2&clients=3`, "users connect at each of them"],
    [`client://${key}@a:1,b:2/:80`, "It knows 2 servers: a:1, b:2."],
    [`client://${key}@h:10101/:80?rate=8&block=13`, "At most 8 Mbit/s in each direction"],
    [`server://${key}@:10101/:80`, "The pool is TCP"],
    [`server://${key}@:10101/:80?type=1`, "over UDP on port 10101"],
    [`server://${key}@:10101/:80?type=1`, "@nodepass/carrier-quic has to be installed"],
    [`server://${key}@:10101/:80?type=2&path=/t`, "one HTTP address is all"],
    [`server://${key}@:10101/:80?type=2&path=/t`, "has to pass on Upgrade and Connection"],
    [`server://${key}@:10101/:80?type=2&path=/t`, "the client needs front=2"],
    [`server://${key}@:10101/:80?type=2&path=/t`, "NodePass 1.14 clients ask for /"],
    [`server://${key}@:10101/:80?type=2&tls=1`, "has to speak TLS to this end, too"],
    [`server://${key}@:10101/:80?type=3`, "HTTP/2 in TLS on path /stream"],
    [`client://${key}@h:443/:80?mode=2&front=2`, "its certificate is verified, chain and name"],
    [`client://${key}@h:443/:80?mode=2&front=1&path=/t`, "any certificate will do there"],
    [`client://${key}@h:443/:80?mode=2&path=/t`, "ask for the path /t"],
    [
      `client://${key}@h:443/:80?mode=2&via=http://u:hunter2@p:3128`,
      "the server at h:443 through the HTTP proxy p:3128, with a user and password",
    ],
    [`client://${key}@h:443/:80?mode=1&noudp=1&via=socks5://p`, "the SOCKS 5 proxy p:1080"],
    [`client://${key}@h:443/:80?via=env`, "unless NO_PROXY names the host"],
    ["master://:9090/api?tls=1", "on port 9090 of all interfaces, below https://…/api"],
  ])("says what %s means", (url, sentence) => {
    const report = checkUrl(url, {});
    expect(report.problems).toEqual([]);
    expect(report.description.join("\n")).toContain(sentence);
  });

  it("lists every setting of the scheme and which are defaults", () => {
    const { settings } = checkUrl("client://h:1/:2?min=8&read=600s", {});
    const find = (name: string) => settings.find((line) => line.name === name);
    expect(find("min")).toMatchObject({ value: "8", isDefault: false });
    expect(find("read")).toMatchObject({ value: "10m0s", isDefault: true });
    expect(find("tls")).toBeUndefined();
    expect(find("slotip")).toMatchObject({ value: "0", isDefault: true });
    expect(settings.filter((line) => !line.isDefault).map(({ name }) => name)).toEqual(["min"]);
  });

  it.each([
    ["server://:1/:2?tls=1&mode=1", [/^no key/]],
    ["server://short@:1/:2?tls=1&mode=1", [/5 characters/]],
    [`server://${key}@:1/:2?mode=1`, [/^tls=0/]],
    [`server://${key}@127.0.0.1:1/:2?mode=1`, []],
    [`server://${key}@:1/:2?tls=1`, [/^mode=0/]],
    [`server://${key}@127.0.0.1:1/:2?mode=1&lbs=0`, []],
    [`server://${key}@127.0.0.1:1/:2?mode=1&lbs=1`, [/^lbs=1 has no effect: .*nothing to choose/]],
    [`server://${key}@127.0.0.1:1/:2?mode=1&lbs=1&clients=2`, []],
    [`client://${key}@h:1/:2?mode=2&proxy=1&dial=::1&dns=1s`, []],
    ["master://:1/api?crt=/a.pem&key=/b.pem", [/^crt has no effect: .*tls=2/, /^key has/]],
    [`server://${key}@127.0.0.1:1/a:2,b:2?mode=2&lbs=2`, []],
    [`client://${key}@h:1/:2?mode=2&log=none`, [/^log=none/]],
    ["client://h:1/:2?mode=1", []],
  ])("warns about what is risky in %s", (url, expected) => {
    const { warnings } = checkUrl(url, {});
    expect(warnings).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it("reports all problems of the URL and of the environment at once", () => {
    const { problems, url } = checkUrl("server://hunter2@x/:2?slot=ten", {
      NP_REPORT_INTERVAL: "soon",
    });
    expect(problems).toEqual([
      expect.stringContaining("tunnel address"),
      expect.stringContaining("slot"),
      expect.stringContaining("NP_REPORT_INTERVAL"),
    ]);
    expect(problems.join()).not.toContain("hunter2");
    expect(url).toBeUndefined();
  });

  it("gives the URL for the other end, hides the key unless asked to show it", () => {
    const url = `server://${key}@:10101/:80?mode=1`;
    expect(checkUrl(url, {}).otherEnd).toMatch(/^client:\/\/\*\*\*@.*:10101\//);
    expect(checkUrl(url, {}, { showKey: true }).url).toContain(key);
    expect(checkUrl("client://h:1/:2?mode=1", {}).otherEnd).toBeUndefined();
  });
});
