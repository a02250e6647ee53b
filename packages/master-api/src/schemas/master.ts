import { z } from "@hono/zod-openapi";
import type { MasterInfo } from "../service.ts";
import { wireInteger } from "./instance.ts";
import { shortText } from "./text.ts";

/** The NodePass API level that this API is compatible with; dashboards compare it. */
export const API_LEVEL = "1.14.0";

const integer = (description: string) => z.int().openapi({ description });

/** `GET /info`. */
export const InfoSchema = z
  .object({
    mid: z.string().openapi({ description: "Id of the master, 16 hexadecimal digits" }),
    alias: z.string(),
    os: z.string(),
    arch: z.string(),
    noc: integer("CPU cores"),
    cpu: integer("CPU use in per cent; -1 unknown"),
    mem_total: integer("Bytes"),
    mem_used: integer("Bytes"),
    mem_free: integer("Bytes"),
    swap_total: integer("Bytes"),
    swap_used: integer("Bytes"),
    swap_free: integer("Bytes"),
    netrx: integer("Bytes since boot"),
    nettx: integer("Bytes since boot"),
    diskr: integer("Bytes since boot"),
    diskw: integer("Bytes since boot"),
    sysup: integer("Seconds since boot"),
    ver: z.literal(API_LEVEL).openapi({ description: "The API level, not the program's version" }),
    impl: z.string().openapi({ description: "The program and its version" }),
    name: z.string().openapi({ description: "Host name" }),
    uptime: integer("Seconds since the master started"),
    log: z.string(),
    tls: z.enum(["0", "1", "2"]),
    crt: z.string().openapi({ description: "Path of the certificate" }),
    key: z.string().openapi({ description: "Path of the certificate's private key" }),
  })
  .openapi("MasterInfo");

export type WireInfo = z.infer<typeof InfoSchema>;

/** `POST /info`. */
export const MasterAliasSchema = z.object({ alias: shortText() }).openapi("MasterAlias");

/** Exactly the documented fields, numbers as integers. */
export function toWireInfo(info: MasterInfo, impl: string): WireInfo {
  return {
    mid: info.mid,
    alias: info.alias,
    os: info.os,
    arch: info.arch,
    noc: wireInteger(info.noc),
    cpu: wireInteger(info.cpu),
    mem_total: wireInteger(info.mem_total),
    mem_used: wireInteger(info.mem_used),
    mem_free: wireInteger(info.mem_free),
    swap_total: wireInteger(info.swap_total),
    swap_used: wireInteger(info.swap_used),
    swap_free: wireInteger(info.swap_free),
    netrx: wireInteger(info.netrx),
    nettx: wireInteger(info.nettx),
    diskr: wireInteger(info.diskr),
    diskw: wireInteger(info.diskw),
    sysup: wireInteger(info.sysup),
    ver: API_LEVEL,
    impl,
    name: info.name,
    uptime: wireInteger(info.uptime),
    log: info.log,
    tls: info.tls,
    crt: info.crt,
    key: info.key,
  };
}

/** `GET /tcping`: the query and the answer. */
export const TcpingQuerySchema = z.object({
  target: z
    .string({ error: (issue) => (issue.input === undefined ? "missing" : "given twice") })
    .max(300, "longer than 300 characters")
    .openapi({
      param: { name: "target", in: "query" },
      description: "`host:port`, an IPv6 address in brackets",
      example: "example.com:443",
    }),
});

export const TcpingSchema = z
  .object({
    target: z.string(),
    connected: z.boolean(),
    latency: z.int().min(0).openapi({ description: "Milliseconds; 0 when not connected" }),
    error: z.string().nullable(),
  })
  .openapi("Tcping");
