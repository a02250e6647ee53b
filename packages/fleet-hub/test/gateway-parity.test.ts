import { CHECKS, expectSameAnswers } from "test-support/parity";
import { expect, it } from "vitest";
import { addRealMaster, MID, SUFFIX, startGateway } from "./support/start-gateway.ts";

it("answers as the master itself, byte for byte but for dates, by path, by host and by port", async () => {
  const gateway = await startGateway();
  const { master, direct } = await addRealMaster(gateway);
  const created = await fetch(`${direct}/api/instances`, {
    method: "POST",
    headers: { "X-API-Key": master.apiKey },
    body: JSON.stringify({ url: "client://127.0.0.1:0/127.0.0.1:9?mode=1" }),
  });
  expect(created.status).toBe(201);
  expect(CHECKS.length).toBeGreaterThanOrEqual(16);
  const { base, port, ownPort } = gateway;
  const Host = `${MID.toUpperCase()}.${SUFFIX}:${port}`;
  await expectSameAnswers(
    direct,
    {
      path: { base, headers: {}, boxed: true },
      host: { base: `http://127.0.0.1:${port}`, headers: { Host }, boxed: false },
      port: { base: `http://127.0.0.1:${ownPort}`, headers: {}, boxed: false },
    },
    master.apiKey,
  );
});
