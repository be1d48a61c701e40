// Watches pages for what hostile text must never reach: a script that runs, a dialog, a request to
// another host, an element or an attribute that no view of ours has.
import assert from "node:assert/strict";
import { URL } from "node:url";

/** Everything our pages are made of. What is missing here, nobody but an attacker draws. */
const ELEMENTS =
  "html head meta title link script base body div main section article aside header footer nav ul ol li dl dt dd p h1 h2 h3 h4 span b i small strong em code kbd time a img button label input textarea select option form fieldset legend dialog progress table thead tbody tr th td noscript iframe figure figcaption blockquote";
const DRAWN = "svg path circle rect line polyline polygon ellipse g";

export class Watch {
  constructor(host) {
    this.host = host;
    this.seen = [];
  }

  /** Over everything a profile does from now on; before its first page. */
  static async over(context, host) {
    const watch = new Watch(host);
    await context.exposeFunction("watchSaw", (what) => watch.seen.push(what));
    await context.addInitScript(() => {
      let set;
      Object.defineProperty(window, "__pwned", {
        get: () => set,
        set: (value) => {
          set = value;
          window.watchSaw(`a script ran in ${location.href}`);
        },
      });
      document.addEventListener("securitypolicyviolation", (event) => window.watchSaw(`${event.effectiveDirective} was violated: ${event.blockedURI} ${event.sample}`));
    });
    context.on("request", (request) => {
      const url = new URL(request.url());
      // What has no host stays in the browser.
      if (url.host !== "" && url.host !== watch.host) watch.seen.push(`asked ${url.href}`);
    });
    context.on("dialog", (dialog) => {
      watch.seen.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("page", (page) => page.on("popup", () => watch.seen.push("a window opened")));
    return watch;
  }

  /** Fails on anything that was seen in any page so far, and on anything strange in this one. */
  async check(page, view) {
    for (const frame of page.frames()) {
      const strange = await frame.evaluate(strangeThings, { elements: ELEMENTS.split(" "), drawn: DRAWN.split(" "), host: this.host });
      assert.deepEqual(strange, [], `${view}: nothing is there that we did not draw`);
    }
    assert.deepEqual(this.seen, [], `${view}: nothing runs, asks or opens`);
  }
}

/** In the page: elements, attributes and addresses that are not ours. */
export function strangeThings({ elements, drawn, host }) {
  const found = [];
  const links = ["http:", "https:", "mailto:"];
  const ours = (address) => {
    try {
      const url = new URL(address, document.baseURI);
      return url.protocol === "blob:" || url.host === host;
    } catch {
      return false;
    }
  };
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    const html = element.outerHTML.slice(0, 160);
    const drawing = element.namespaceURI === "http://www.w3.org/2000/svg";
    if (!(drawing ? drawn : elements).includes(name) || element.prefix !== null) found.push(`element ${html}`);
    if (drawing && !element.closest("svg").matches('[aria-hidden="true"], [role="img"]')) found.push(`drawing ${html}`);
    if (name === "script" && element.textContent !== "") found.push(`script ${html}`);
    for (const { name: attribute, value } of element.attributes) {
      if (/^on|srcdoc|^formaction$|^ping$|^action$|^background$|^poster$|^srcset$|^data$/i.test(attribute)) found.push(`attribute ${attribute}: ${html}`);
      if (attribute === "src" && !ours(value)) found.push(`source ${html}`);
      if (attribute === "style" && /url\(|expression|import/i.test(value)) found.push(`style ${html}`);
      if (attribute !== "href" && attribute !== "xlink:href") continue;
      if (name === "a" && !value.startsWith("#")) {
        if (!links.includes(element.protocol)) found.push(`address ${html}`);
        if (!(element.rel ?? "").split(" ").includes("noopener") && element.host !== host) found.push(`opener ${html}`);
        continue;
      }
      // The page's icon with the count of unread messages, drawn by the console itself.
      const icon = name === "link" && element.rel === "icon" && /^data:image\/png;base64,[\w+/=]+$/.test(value);
      if (name !== "a" && !icon && !ours(value)) found.push(`source ${html}`);
    }
  }
  return found;
}
