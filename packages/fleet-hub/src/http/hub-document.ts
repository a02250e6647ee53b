/** What a hub's OpenAPI document says of itself. */
export const HUB_DOCUMENT = {
  title: "NodePass fleet",
  description: `A fleet of NodePass masters: who they are, what runs where, and who changed it.

Every path also answers under \`/v1\`. Answers are bare JSON; errors are \`{"error": "…"}\`.
A known path with another method answers 405 with \`Allow\`, an unknown one 404.

Each master's own API, unchanged, is under \`/masters/{mid}/\` followed by the path at the master
(\`/masters/{mid}/api/instances\`), and under a host name \`{mid}.<suffix>\` where the hub has one. There a
token of the fleet is taken, and the master's own key. A master that is not there is 503 with
\`Retry-After\`.`,
  tags: [
    { name: "fleet", description: "The fleet as a whole" },
    { name: "masters", description: "Its members" },
    { name: "services", description: "Tunnels, wherever they run" },
    { name: "tokens", description: "Who may do what" },
    { name: "hub", description: "The hub itself" },
    { name: "documentation", description: "Public" },
  ],
} as const;
