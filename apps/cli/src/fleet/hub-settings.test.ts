import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { HUB_SETTINGS_FILE, readHubSettings } from "./hub-settings.ts";

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "nodepass-hub-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, HUB_SETTINGS_FILE), text);
  return folder;
}

it("reads where a hub is found, with the folder's own files", async () => {
  const folder = folderWith(
    JSON.stringify({
      listen: "0.0.0.0:9443",
      crt: "tls/hub.crt",
      key: "/etc/hub.key",
      masters: { "0123456789abcdef": "[::]:9501" },
    }),
  );
  expect(await readHubSettings(folder)).toEqual({
    listen: { host: "0.0.0.0", port: 9443 },
    crt: join(folder, "tls/hub.crt"),
    key: "/etc/hub.key",
    prefix: "/api",
    masters: { "0123456789abcdef": { host: "::", port: 9501 } },
  });
});

it.each([
  ["{", /can't read/, []],
  ["{}", /can't be used/, [/^listen: /]],
  ['{"listen":"9443"}', /can't be used/, [/^listen: "9443" is not host:port/]],
  ['{"listen":":1","crt":"a"}', /can't be used/, [/crt and key belong together/]],
  ['{"listen":":1","masters":{"edge":":2"}}', /can't be used/, [/masters/]],
  ['{"listen":":1","lisen":":2"}', /can't be used/, [/lisen/]],
])("says what is wrong with %j", async (text, message, details) => {
  await expect(readHubSettings(folderWith(text))).rejects.toMatchObject({
    message: expect.stringMatching(message),
    details: details.map((pattern) => expect.stringMatching(pattern)),
  });
});

it("says of a folder that is not a fleet's what writes one", async () => {
  await expect(readHubSettings("/nowhere")).rejects.toMatchObject({
    message: "/nowhere is no fleet's folder: it has no hub.json",
    details: [expect.any(Function)],
  });
});
