// Starts the widget: in a site's frame at /widget/{inbox_key}, alone at /c/{inbox_key}. The page's
// base names the folder of the widget's files, one below the server's root.
import "@frontdesk/ui/tokens.css";
import "@frontdesk/ui/base.css";
import "./widget.css";
import { render } from "preact";
import { Chat } from "./model/chat";
import { App } from "./view/app";

const root = document.getElementById("app");
const [inboxKey = "", place] = location.pathname.split("/").filter(Boolean).reverse();
const baseUrl = new URL("../", document.baseURI).href;

if (root) {
  // The stand-alone page stays one in a frame too: no loader speaks to it there.
  const framed = place === "widget" && window.parent !== window;
  document.documentElement.dataset.place = framed ? "frame" : "page";
  const chat = new Chat(baseUrl, decodeURIComponent(inboxKey), framed);
  render(<App chat={chat} />, root);
  chat.start();
}
