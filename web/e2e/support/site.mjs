// Somebody's website with the widget on it: pages of its own origin, with the policy a careful site has.
import { createServer } from "node:http";
import { URL, URLSearchParams } from "node:url";

/** Nothing that the embedding manual does not name: the loader's and the frame's origin. */
function strict(chat) {
  return `default-src 'none'; script-src 'nonce-site' ${chat}; frame-src ${chat}; style-src 'nonce-site'; img-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
}

/** Styles that reach for everything, as some sites' do. */
const STYLES = "*{letter-spacing:.3em}div,iframe,button{position:static;display:block;padding:31px;margin:29px;border:7px solid red}body{font:16px/1.5 serif;margin:40px}main{max-width:640px}";

export class Site {
  constructor(server, chatUrl) {
    this.server = server;
    this.chatUrl = chatUrl;
    this.asked = [];
  }

  static async open(chatUrl) {
    const server = createServer();
    const site = new Site(server, chatUrl);
    server.on("request", (request, response) => site.answer(request, response));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return site;
  }

  get origin() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** `script`: what the page calls; `loaders`: how often it includes the loader. */
  page({ script = "", loaders = 1 } = {}) {
    return `${this.origin}/?${new URLSearchParams({ script, loaders })}`;
  }

  answer(request, response) {
    const url = new URL(request.url, this.origin);
    this.asked.push({ path: url.pathname, cookie: request.headers.cookie });
    if (url.pathname !== "/") {
      response.writeHead(204).end();
      return;
    }
    const chat = new URL(this.chatUrl).origin;
    const loaders = Number(url.searchParams.get("loaders"));
    const calls = `<script nonce="site">window.frontdesk=window.frontdesk||function(){(frontdesk.q=frontdesk.q||[]).push(arguments)};${url.searchParams.get("script")}</script>`;
    const widget = loaders === 0 ? "" : calls + `<script async src="${chat}/widget.js"></script>`.repeat(loaders);
    const words = Array.from({ length: 30 }, (_, at) => `<p>Paragraph ${at + 1} about tea, cups, and the patience both of them take.</p>`).join("\n");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": strict(chat) });
    response.end(`<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A site of tea</title>
    <style nonce="site">${STYLES}</style></head>
  <body><main><h1>Tea</h1>${words}</main>
    ${widget}
  </body>
</html>`);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
