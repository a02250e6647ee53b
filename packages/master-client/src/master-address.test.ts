import { expect, it } from "vitest";
import { parseMasterAddress } from "./master-address.ts";

it.each([
  ["http://h:9090", "http://h:9090", ["/api/v1", "/api"]],
  ["http://h:9090/", "http://h:9090", ["/api/v1", "/api"]],
  ["http://h:9090/api", "http://h:9090", ["/api/v1", "/api"]],
  ["https://h/admin/v1/", "https://h", ["/admin/v1", "/admin"]],
  ["h.example:9090", "http://h.example:9090", ["/api/v1", "/api"]],
  ["[::1]:9090/x", "http://[::1]:9090", ["/x/v1", "/x"]],
  ["master://0.0.0.0:9090?log=info", "http://127.0.0.1:9090", ["/api/v1", "/api"]],
  ["master://h:9090/admin?tls=1", "https://h:9090", ["/admin/v1", "/admin"]],
  ["master://[::]:9090", "http://127.0.0.1:9090", ["/api/v1", "/api"]],
])("reads %s", (text, origin, basePaths) => {
  expect(parseMasterAddress(text)).toEqual({ origin, basePaths });
});

it.each(["ftp://hunter2:9090", "http://", "http://user:hunter2@h", "http://h/?key=hunter2", ""])(
  "refuses %j without quoting it",
  (text) => {
    expect(() => parseMasterAddress(text)).toThrow(
      expect.objectContaining({ code: "INVALID", message: expect.not.stringContaining("hunter2") }),
    );
  },
);
