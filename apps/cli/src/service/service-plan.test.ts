import { expect, test } from "vitest";
import { type Machine, planService } from "./service-plan.ts";

const LINUX: Machine = {
  platform: "linux",
  home: "/home/ann",
  system: false,
  node: "/usr/bin/node",
  program: "/opt/100% $mine/main.js",
};

test("a user's URL goes into a file for its owner alone, not into the unit", () => {
  const url = "client://secret@edge:10101/127.0.0.1:80?mode=2";
  const { files, start, stop, status } = planService("web", url, LINUX);
  expect(files[0]).toEqual({
    path: "/home/ann/.config/nodepass/services/web.url",
    text: `${url}\n`,
    mode: 0o600,
  });
  expect(files[1]?.path).toBe("/home/ann/.config/systemd/user/nodepass-web.service");
  expect(files[1]?.text).not.toContain("secret");
  // systemd reads % and $ for its own.
  expect(files[1]?.text).toContain(
    'ExecStart=/usr/bin/node "/opt/100%% $$mine/main.js" run --file /home/ann/.config/nodepass/services/web.url\n',
  );
  expect(files[1]?.text).toContain("WantedBy=default.target");
  expect(start.at(-1)).toEqual(["systemctl", "--user", "enable", "--now", "nodepass-web.service"]);
  expect(stop[0]?.slice(0, 3)).toEqual(["systemctl", "--user", "disable"]);
  expect(status).toEqual(["systemctl", "--user", "status", "--no-pager", "nodepass-web.service"]);
});

test("the machine's file is run as it is, hardened, and reloaded by SIGHUP", () => {
  const { files } = planService("all", "/etc/nodepass/tunnels.yaml", { ...LINUX, system: true });
  expect(files).toHaveLength(1);
  expect(files[0]?.path).toBe("/etc/systemd/system/nodepass-all.service");
  for (const line of [
    "run /etc/nodepass/tunnels.yaml",
    "ExecReload=/bin/kill -HUP $MAINPID",
    "ProtectSystem=strict",
    "WantedBy=multi-user.target",
  ]) {
    expect(files[0]?.text).toContain(line);
  }
});

test("launchd on macOS", () => {
  const url = "client://a&b@edge:1/127.0.0.1:80?mode=2";
  const machine: Machine = { ...LINUX, platform: "darwin", home: "/Users/ann" };
  const { files, start } = planService("web", url, machine);
  expect(files[1]?.path).toBe("/Users/ann/Library/LaunchAgents/nodepass.web.plist");
  expect(files[1]?.text).toContain("<string>/Users/ann/.config/nodepass/services/web.url</string>");
  expect(start).toEqual([["launchctl", "load", "-w", files[1]?.path]]);
});

test.each([
  ["a/b", "client://k@h:1/t:2", /^the name "a\/b" is not valid \(allowed: /],
  ["web", "client://k@h/t:2", /^tunnel address "h" has no port/],
])("refuses the name %j and the URL %j", (name, url, message) => {
  expect(() => planService(name, url, LINUX)).toThrow(message);
});

test("says where there are no services", () => {
  expect(() => planService("web", undefined, { ...LINUX, platform: "win32" })).toThrow(
    /Linux \(systemd\) and macOS \(launchd\), not win32/,
  );
});
