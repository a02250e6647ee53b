import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";

test.each(["/api", "/api/v1"])("%s says where things are, without a key", async (base) => {
  const { ask } = createAsked({ base });
  const response = await ask("GET", "", { key: undefined });
  expect(response.status).toBe(200);
  const index: unknown = await response.json();
  expect(index).toMatchObject({ name: "nodepass", documentation: `${base}/docs` });
  const openapi = await ask("GET", "/openapi.json", { key: undefined });
  expect(index).toMatchObject({ openapi: `${base}/openapi.json` });
  expect(openapi.status).toBe(200);
});

test("a browser is led to the documentation", async () => {
  const { ask } = createAsked({ base: "/api" });
  const headers = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  const response = await ask("GET", "", { key: undefined, headers });
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe("api/docs");
});
