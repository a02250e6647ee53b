import { COUNTER_NAMES } from "@nodepass/model";
import { expect, it } from "vitest";
import { startRealMaster } from "./support/real-master.ts";

it("show --json has every counter that the model knows", async () => {
  const { json } = await startRealMaster();
  await json(["create", "client://127.83.2.1:0/127.83.2.1:9?mode=1", "--alias", "web"]);
  const shown = await json(["show", "web"]);
  expect(Object.keys(Object(shown))).toEqual(expect.arrayContaining([...COUNTER_NAMES]));
});
