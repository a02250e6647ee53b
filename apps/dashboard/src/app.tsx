import { Questions } from "./parts/ask.tsx";
import { Notices } from "./parts/notices.tsx";
import { currentMaster } from "./state/masters.ts";
import { MasterGone } from "./views/connection.tsx";
import { MasterFrame } from "./views/master-frame.tsx";
import { MasterView } from "./views/master-view.tsx";
import { SignIn } from "./views/sign-in.tsx";

/** All of the dashboard of a master. */
export function App() {
  const master = currentMaster.value;
  return (
    <>
      {master === undefined ? (
        <SignIn />
      ) : (
        <MasterFrame master={master}>
          <MasterGone master={master} />
          <MasterView key={master.url} master={master} />
        </MasterFrame>
      )}
      <Questions />
      <Notices />
    </>
  );
}
