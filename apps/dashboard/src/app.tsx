import { Questions } from "./parts/ask.tsx";
import { Notices } from "./parts/notices.tsx";
import { ownMaster } from "./state/session.ts";
import { MasterGone } from "./views/connection.tsx";
import { Frame } from "./views/frame.tsx";
import { SignIn } from "./views/sign-in.tsx";
import { TunnelsPage } from "./views/tunnels/tunnels-page.tsx";

/** All of the dashboard. */
export function App() {
  const master = ownMaster.value;
  return (
    <>
      {master === undefined ? (
        <SignIn />
      ) : (
        <Frame master={master}>
          <MasterGone master={master} />
          <TunnelsPage master={master} />
        </Frame>
      )}
      <Questions />
      <Notices />
    </>
  );
}
