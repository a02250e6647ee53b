#!/usr/bin/env node
// Runs on every Node that knows modules, so that an old one gets a clear line instead of a syntax
// error: nothing is imported before the check, and nothing here is newer than Node 14.
const [major, minor] = process.versions.node.split(".").map(Number);

if (major === undefined || minor === undefined || major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `nodepass-master: needs Node.js 22.12 or newer, this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 1;
} else {
  void import("./command.ts").then((command) => command.main());
}

export {};
