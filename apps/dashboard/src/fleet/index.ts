import "./fleet.css";

// What a hub's page needs beyond a master's; see main.tsx.
export { FleetApp } from "./fleet-app.tsx";
export { hubServer } from "./state/session.ts";
