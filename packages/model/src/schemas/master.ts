import { z } from "zod";
import { API_LEVEL } from "../master.ts";
import { shortText } from "./text.ts";

const integer = (description: string) => z.int().meta({ description });

/** `GET /info`. */
export const InfoSchema = z
  .object({
    mid: z.string().meta({ description: "Id of the master, 16 hexadecimal digits" }),
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
    ver: z.literal(API_LEVEL).meta({ description: "The API level, not the program's version" }),
    impl: z.string().meta({ description: "The program and its version" }),
    name: z.string().meta({ description: "Host name" }),
    uptime: integer("Seconds since the master started"),
    log: z.string(),
    tls: z.enum(["0", "1", "2"]),
    crt: z.string().meta({ description: "Path of the certificate" }),
    key: z.string().meta({ description: "Path of the certificate's private key" }),
  })
  .meta({ id: "MasterInfo" });

/** `POST /info`. */
export const MasterAliasSchema = z.object({ alias: shortText() }).meta({ id: "MasterAlias" });

/** `GET /tcping`. */
export const TcpingSchema = z
  .object({
    target: z.string(),
    connected: z.boolean(),
    latency: z.int().min(0).meta({ description: "Milliseconds; 0 when not connected" }),
    error: z.string().nullable(),
  })
  .meta({ id: "Tcping" });
