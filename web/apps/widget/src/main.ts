// Starts the widget: in a site's frame at /widget/{inbox_key}, alone at /c/{inbox_key}. The page's
// base names the folder of the widget's files, one below the server's root. In a frame the chat
// itself is fetched when it is needed.
import "@frontdesk/ui/tokens.css";
import "@frontdesk/ui/base.css";
import "./widget.css";
import { Entrance } from "./model/entrance";

const [inboxKey = "", place] = location.pathname.split("/").filter(Boolean).reverse();
const baseUrl = new URL("../", document.baseURI).href;
const key = decodeURIComponent(inboxKey);
const fetchChat = () => import("./app");

/** The window as it will be, with nothing in it yet. */
function drawWaiting(title: string): void {
  const part = (className: string, ...children: (Node | string)[]): HTMLElement => {
    const made = document.createElement("div");
    made.className = className;
    made.append(...children);
    return made;
  };
  const lines = [0, 1, 2].map((at) => part(`skeleton skeleton-${at}`));
  document.getElementById("app")?.replaceChildren(part("window waiting", part("header", title), part("scroller", ...lines)));
}

// The stand-alone page stays one in a frame too: no loader speaks to it there.
const framed = place === "widget" && window.parent !== window;
document.documentElement.dataset.place = framed ? "frame" : "page";
if (framed) {
  new Entrance(window.parent, {
    baseUrl,
    inboxKey: key,
    drawWaiting,
    fetchChat: async () => {
      const { startChat } = await fetchChat();
      return (given) => startChat(baseUrl, key, given);
    },
  });
} else {
  void fetchChat().then(({ startChat }) => startChat(baseUrl, key, undefined));
}
