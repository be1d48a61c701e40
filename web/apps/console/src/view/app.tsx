import { useConsole } from "./context";
import { DeskProvider } from "./context";
import { Notices } from "./notices";
import { Shell } from "./shell";
import { SignIn } from "./sign-in";
import { Invite } from "./invite";
import { SetUp } from "./set-up";
import { Welcome } from "./welcome";
import { Failed } from "./parts/states";
import { problem, t } from "./text";

export function App() {
  const app = useConsole();
  return (
    <>
      <Page />
      <Notices notices={app.notices} />
    </>
  );
}

function Page() {
  const app = useConsole();
  const state = app.account.state.value;
  const route = app.route.value;
  const desk = app.desk.value;
  // Whoever is signed in has to decide whether to join as somebody else.
  if (route.page === "invite" && (state.kind === "signed-in" || state.kind === "signed-out")) return <Invite key={route.token} token={route.token} me={state.kind === "signed-in" ? state.me : null} />;
  switch (state.kind) {
    case "loading":
      return <div class="page-loading" role="status" aria-label={t("loading")} />;
    case "failed":
      return (
        <main class="page-centre">
          <Failed text={problem(state.code === "connection.lost" ? "network" : state.code)} onRetry={() => void app.account.load()} />
        </main>
      );
    case "signed-out":
      return route.page === "setup" ? <SetUp token={route.token} /> : <SignIn state={state} />;
    case "signed-in":
      if (desk === null) return null;
      return (
        <DeskProvider value={desk}>
          {route.page === "welcome" && desk.rights.has("settings.inboxes") ? <Welcome step={route.step} /> : <Shell />}
        </DeskProvider>
      );
  }
}
