import { describeParameters } from "@nodepass/url-config";

const ABOUT = `# The URL of a tunnel

\`server://[key@]tunnel-host:port/target-host:port[,target-host:port…]?parameter=value&…\`, or \`client://\` for the other end.

- A pair: the server listens on the tunnel address, the client dials it with mode=2; both have the same key. An empty host is all interfaces.
- Reverse (server mode=1): users connect to the server's target address, the client passes them on to its own targets. For what is behind NAT.
- Forward (server mode=2): users connect to the client's target address, the server passes them on to its targets.
- Alone (client mode=1): listens on the tunnel address and passes on to the targets.

# Parameters
`;

/** Every parameter of tunnels, from the table that the parser itself uses, as Markdown. */
export function parameterReference(): string {
  const rows = describeParameters()
    .filter(({ schemes }) => schemes.some((scheme) => scheme !== "master"))
    .map(({ name, schemes, defaultText, allowed, meaning }) => {
      const tunnels = schemes.filter((scheme) => scheme !== "master").join(", ");
      return `| ${name} | ${tunnels} | ${defaultText ?? ""} | ${allowed} | ${meaning} |`;
    });
  const head = ["| name | of | default | allowed | meaning |", "| --- | --- | --- | --- | --- |"];
  return `${ABOUT}\n${[...head, ...rows].join("\n")}\n`;
}
