import * as urlConfig from "@nodepass/url-config";
import { Readme } from "test-support/readme";
import { expect, it } from "vitest";
import * as masterServer from "../src/index.ts";
import { temporaryFolder } from "./support/start-master.ts";

const readme = new Readme(import.meta.url);

it("README's example prints what it says", async () => {
  const known = { ...urlConfig, ...masterServer, stateDirectory: temporaryFolder() };
  const lines = (await readme.run(known, "ts")).trimEnd().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^API URL: http:\/\/127\.0\.0\.1:\d+\/api$/),
    expect.stringMatching(/^API docs: http:\/\/127\.0\.0\.1:\d+\/api\/docs$/),
    expect.stringMatching(/^API KEY: [0-9a-f]{32}$/),
    "201",
  ]);
});

it("README has the defaults of all limits", () => {
  for (const [name, value] of Object.entries(masterServer.DEFAULT_SERVER_LIMITS)) {
    expect(readme.text).toMatch(new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`));
  }
});

it("README names every option and error code", () => {
  expect(readme.untold(readme.fieldsOf("master-options.ts", "RunMasterOptions"))).toEqual([]);
  expect(readme.untold(readme.codesOf("master-server-error.ts"))).toEqual([]);
});
