// An nginx of the test's own: own configuration, own port, own directory, stopped by its process.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = ["/usr/sbin/nginx", "/usr/bin/nginx"].find((path) => existsSync(path));

export function nginxVersion() {
  if (!BINARY) return undefined;
  return /nginx\/(\S+)/.exec(spawnSync(BINARY, ["-v"], { encoding: "utf8" }).stderr)?.[1];
}

/** A port nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Nginx {
  /** Passes everything below `prefix` to `upstream`, the socket included. */
  static async start({ port, prefix, upstream }) {
    const nginx = new Nginx();
    nginx.dir = mkdtempSync(join(tmpdir(), "frontdesk-nginx-"));
    // Its workers run as another user and keep bodies here.
    chmodSync(nginx.dir, 0o755);
    const config = join(nginx.dir, "nginx.conf");
    writeFileSync(
      config,
      `daemon off; pid ${nginx.dir}/pid; error_log stderr warn; worker_processes 1;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 32m;
  client_body_temp_path ${nginx.dir}/body; proxy_temp_path ${nginx.dir}/proxy;
  fastcgi_temp_path ${nginx.dir}/fastcgi; uwsgi_temp_path ${nginx.dir}/uwsgi; scgi_temp_path ${nginx.dir}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port};
    location ${prefix} {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 1h;
    }
  }
}
`,
    );
    nginx.process = spawn(BINARY, ["-p", nginx.dir, "-c", config], { stdio: ["ignore", "ignore", "pipe"] });
    nginx.log = "";
    nginx.process.stderr.setEncoding("utf8").on("data", (text) => (nginx.log += text));
    nginx.exited = new Promise((resolve) => nginx.process.once("exit", resolve));
    await nginx.answers(port);
    return nginx;
  }

  /** Asks until somebody listens; each refusal comes at once, so this waits for nginx alone. */
  async answers(port) {
    const from = performance.now();
    for (;;) {
      try {
        await fetch(`http://127.0.0.1:${port}/`);
        return;
      } catch {
        if (this.process.exitCode !== null || performance.now() - from > 10_000) throw new Error(`nginx does not listen:\n${this.log}`);
      }
    }
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.exited;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
