import type { LogFields, Logger } from "@nodepass/logging";
import type { Tunnel } from "@nodepass/tunnel-core";

/** Writes what a tunnel tells about itself to the log; `fields` are added to its records. */
export function logTunnel(tunnel: Tunnel, logger: Logger, fields: LogFields = {}): void {
  tunnel.on("log", (record) => {
    logger.record({ ...record, fields: { ...record.fields, ...fields } });
  });
  tunnel.on("checkpoint", (checkPoint) => logger.checkPoint(checkPoint));
}
