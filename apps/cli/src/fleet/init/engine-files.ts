import { type FleetSecrets, serverConfig } from "@nodepass/fleet-protocol";
import {
  at,
  type FleetPlan,
  innerHosts,
  listenAddress,
  type PlannedFile,
  serverNames,
} from "./plan.ts";

/** The listener's certificate, relative to the fleet's folder, which servers are started in. */
export const ENGINE_CERTIFICATE = { cert: "nats/tls/server.crt", key: "nats/tls/server.key" };
export const ENGINE_CA = "nats/tls/ca.crt";

/** The configuration of each nats-server. */
export function engineFiles(
  plan: FleetPlan,
  secrets: FleetSecrets,
  clusterSecret: string,
): PlannedFile[] {
  const { ports } = plan;
  const tls = plan.tls
    ? { certFile: ENGINE_CERTIFICATE.cert, keyFile: ENGINE_CERTIFICATE.key }
    : undefined;
  return serverNames(plan).map((name, index) => {
    const listen = listenAddress(plan, index);
    const text = serverConfig(secrets, {
      name,
      listen: at(listen, ports.engine),
      tls,
      websocket: { listen: at(listen, ports.websocket), tls },
      storeDir: `data/${name}`,
      monitor: ports.monitor === 0 ? undefined : at("127.0.0.1", ports.monitor + index),
      cluster:
        plan.servers === 1
          ? undefined
          : {
              name: plan.name,
              listen: at(listen, ports.cluster),
              routes: innerHosts(plan).map((host) => at(host, ports.cluster)),
              secret: clusterSecret,
              tls: tls && { ...tls, clientCaFile: ENGINE_CA },
            },
    });
    return { path: `nats/${name}.conf`, text };
  });
}
