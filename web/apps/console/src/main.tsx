// Starts the console in this page: wires the browser to the model and draws it.
import { protoCodec } from "@frontdesk/protocol/proto";
import { browserPlatform } from "@frontdesk/client/browser";
import { pickLocale } from "@frontdesk/i18n";
import { followTheme } from "@frontdesk/ui";
import { effect } from "@preact/signals";
import { render } from "preact";
import { huesOf } from "./model/avatar";
import { Console } from "./model/console";
import "@frontdesk/ui/tokens.css";
import "./styles/console.css";
import { App } from "./view/app";
import { browserBells, drawIcon } from "./view/bells";
import { copyText } from "./view/clipboard";
import { ConsoleProvider } from "./view/context";
import { refuseFiles } from "./view/inbox/drop";
import { lineText } from "./view/inbox/line-text";
import { chosenHues } from "./view/parts/avatar";
import { t, texts } from "./view/text";
import { browserUpload } from "./view/upload";

const baseUrl = new URL(".", location.href).href;

const anonymousName = (visitor: string) => t("visitor.anonymous", { id: visitor.slice(-4).toUpperCase() });

const app = new Console({
  platform: browserPlatform(baseUrl),
  codec: protoCodec,
  upload: browserUpload(baseUrl),
  copy: copyText,
  version: "0.1.0",
  language: () => texts.locale.peek(),
  anonymousName,
  bells: browserBells((reason, row) => ({
    title: t(`signal.${reason}`, { name: row.visitorName === "" ? anonymousName(row.visitor) : row.visitorName }),
    body: row.last === null ? "" : lineText(row.last),
  })),
  address: {
    hash: () => location.hash,
    go: (hash) => {
      location.hash = hash;
    },
  },
});

window.addEventListener("hashchange", () => app.addressChanged());
window.addEventListener("beforeunload", (event) => {
  if (app.unsaved) event.preventDefault();
});
refuseFiles(window);

effect(() => {
  void texts.use(pickLocale(app.preferences.language.value, ...navigator.languages));
});
effect(() => {
  document.documentElement.lang = texts.locale.value;
});
effect(() => followTheme(app.preferences.theme.value));
effect(() => {
  document.title = app.title.value;
});
effect(() => drawIcon(app.count.value));
effect(() => {
  const state = app.account.state.value;
  const agents = app.desk.value?.inbox.directory.value.agents ?? [];
  chosenHues.value = huesOf(state.kind === "signed-in" ? [...agents, state.me] : agents);
});

const root = document.getElementById("app");
if (root !== null) {
  render(
    <ConsoleProvider value={app}>
      <App />
    </ConsoleProvider>,
    root,
  );
}
void app.start();
