import { expect, it } from "vitest";
import { systemdFiles } from "./systemd-files.ts";

const plan = {
  ...{ name: "prod", hosts: ["a"], servers: 1, listen: "0.0.0.0", tls: true, gateway: "" },
  ports: { hub: 1, engine: 2, websocket: 3, cluster: 4, monitor: 0 },
  ...{ user: "", version: "1" },
} as const;

const lines = (directory: string) =>
  systemdFiles(plan, directory).flatMap(({ text }) =>
    text.split("\n").filter((line) => /^(ExecStart|WorkingDirectory|ReadWritePaths)=/.test(line)),
  );

it("names the folder as it is", () => {
  expect(lines("/var/lib/fleet")).toEqual([
    "ExecStart=/usr/bin/env nats-server -c nats/nats-0.conf",
    "WorkingDirectory=/var/lib/fleet",
    "ReadWritePaths=/var/lib/fleet/data/nats-0",
    "ExecStart=/usr/bin/env nodepass fleet hub /var/lib/fleet",
    "WorkingDirectory=/var/lib/fleet",
    "ReadWritePaths=/var/lib/fleet/exports",
  ]);
});

it("lets nothing in a folder's name be a word, a specifier or a variable of systemd's", () => {
  expect(lines(`/a b%n$HOME"c\\d`).slice(3)).toEqual([
    `ExecStart=/usr/bin/env nodepass fleet hub "/a b%%n$$HOME\\"c\\\\d"`,
    `WorkingDirectory=/a b%%n$HOME"c\\d`,
    `ReadWritePaths="/a b%%n$HOME\\"c\\\\d/exports"`,
  ]);
});
