import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { InstanceAnswer } from "./support/api-client.ts";
import { startMaster, temporaryFolder } from "./support/start-master.ts";

const WRITES = 200;
const INSTANCES = 20;

it(`has on disk what it answered, after ${WRITES} changes at once`, async () => {
  const { api, stateDirectory } = await startMaster();
  const made = await Promise.all(
    Array.from({ length: INSTANCES }, (_, at) =>
      api.create(`client://127.0.0.1:0/127.0.0.1:${at + 1}`),
    ),
  );
  const answers = await Promise.all(
    Array.from({ length: WRITES }, (_, at) => {
      const alias = `alias ${at}`;
      return api.ask<InstanceAnswer>("PATCH", `/instances/${made[at % INSTANCES]?.id}`, { alias });
    }),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(WRITES).fill(200));
  expect(answers.map(({ body }) => body.alias)).toEqual(answers.map((_, at) => `alias ${at}`));
  // As a kill would leave it: nothing is closed, and what was not written yet never is.
  const copy = temporaryFolder();
  cpSync(stateDirectory, copy, { recursive: true });
  rmSync(join(copy, "nodepass.msgpack.lock"), { recursive: true });
  const shown = (await api.instances()).map(({ id, alias }) => ({ id, alias }));
  const after = await startMaster({ stateDirectory: copy });
  const kept = (await after.api.instances()).map(({ id, alias }) => ({ id, alias }));
  expect(kept).toEqual(shown);
  expect(new Set(kept.map(({ id }) => id))).toEqual(new Set(made.map(({ id }) => id)));
});
