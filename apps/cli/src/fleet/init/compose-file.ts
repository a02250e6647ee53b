import { isIP } from "node:net";
import { ENGINE_VERSION, type FleetPlan, serverNames } from "./plan.ts";

/**
 * A compose file for one machine: as many nats-servers and hubs as planned. What they need of the folder
 * is mounted, and no more: a server sees no secret of the hubs.
 */
export function composeFile(plan: FleetPlan): string {
  const { ports, servers, hosts } = plan;
  const names = serverNames(plan);
  // The hub finds its engine by the name that members use; an address it finds by itself.
  const named = hosts.filter((host) => isIP(host) === 0);
  const engines = names.map((name, index) => {
    // Members reach the first by the published ports; the others are reached when it is gone.
    const published = [ports.engine, ports.websocket].map(
      (port) => `      - "${port + (index === 0 ? 0 : index * 10_000)}:${port}"`,
    );
    return `  ${name}:
    <<: *common
    image: nats:${ENGINE_VERSION}
    command: ["-c", "nats/${name}.conf"]
    ports:
${published.join("\n")}
    networks:
      default:
        aliases: ${JSON.stringify([`${name}.nats`, ...(servers === 1 ? named : [])])}
    volumes:
      - ./nats:/fleet/nats:ro
      - ./data/${name}:/fleet/data/${name}
`;
  });
  const hubs = Array.from({ length: servers }, (_unused, index) => {
    const port = ports.hub + index;
    return `  hub-${index}:
    <<: *common
    image: nodepass:${plan.version}
    build:
      context: \${NODEPASS_SOURCE:-.}
      dockerfile: deploy/hub.Dockerfile
    command: ["fleet", "hub", "/fleet"]
    ports:
      - "${port}:${ports.hub}"
    depends_on: [${names.join(", ")}]
    volumes:
      - ./fleet.json:/fleet/fleet.json:ro
      - ./hub.json:/fleet/hub.json:ro
      - ./tls:/fleet/tls:ro
      - ./exports:/fleet/exports
`;
  });
  return `# ${servers === 1 ? "One nats-server and one hub" : `${servers} nats-servers and ${servers} hubs`} of the fleet ${plan.name}, on one machine:
#
#   NODEPASS_SOURCE=<checkout> docker compose build     (once: the hub's image)
#   docker compose up -d
x-common: &common
  restart: unless-stopped
  stop_grace_period: 15s
  working_dir: /fleet
${plan.user === "" ? "" : `  # Whose the files are; they are nobody else's to read.\n  user: "${plan.user}"\n`}  read_only: true
  tmpfs: [/tmp]
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  sysctls:
    net.ipv4.ip_unprivileged_port_start: 0
  ulimits:
    nofile: 1048576
  mem_limit: 1g
  pids_limit: 256
  logging:
    driver: json-file
    options: { max-size: 10m, max-file: "5" }

services:
${[...engines, ...hubs].join("\n")}`;
}
