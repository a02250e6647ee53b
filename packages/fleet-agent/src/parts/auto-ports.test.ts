import { expect, it } from "vitest";
import { AutoPorts } from "./auto-ports.ts";

it("fills each auto with another port, and leaves the rest as it is", () => {
  const { url, ports } = new AutoPorts().fill(
    "server://key@0.0.0.0:auto/[::]:auto,10.0.0.1:auto?host=x:auto&auto=1",
  );
  expect(new Set(ports).size).toBe(3);
  const [a, b, c] = ports;
  expect(url).toBe(`server://key@0.0.0.0:${a}/[::]:${b},10.0.0.1:${c}?host=x:auto&auto=1`);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThanOrEqual(29_999);
  }
});

it("changes no URL without one", () => {
  const url = "client://auto.example:80/autos:8080?x=1";
  expect(new AutoPorts().fill(url)).toEqual({ url, ports: [] });
});

it("gives what somebody is to have to nobody else for a while", () => {
  const auto = new AutoPorts();
  const given = new Set<number>();
  for (let n = 0; n < 5000; n++) {
    const { ports } = auto.fill("server://:auto/:80");
    for (const port of ports) {
      expect(given.has(port)).toBe(false);
      given.add(port);
    }
    auto.hold(ports);
  }
});
