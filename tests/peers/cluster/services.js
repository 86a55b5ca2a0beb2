// What a cluster needs beside its nodes: real brokers, databases and balancers from Debian's packages, each on free ports of the
// loopback interface and with a folder of its own, so that none touches a service of this machine.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How long a service may take until it listens. */
const patience = 20_000;

/** A program that listens on a port. */
export class Service {
  constructor({ name, command, port, folder, user, stop = "SIGTERM", end = "SIGKILL" }) {
    Object.assign(this, { name, command, port, folder, user, stopSignal: stop, endSignal: end });
  }

  async start() {
    const [program, ...args] = this.user ? ["setpriv", ...asUser(this.user), ...this.command] : this.command;
    this.child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    this.ended = once(this.child, "exit");
    const ended = this.ended.then(([code]) => Promise.reject(new Error(`${this.name} ended with exit code ${code}`)));
    try {
      await Promise.race([listening(this.port), ended]);
    } catch (error) {
      await this.end();
      throw error;
    } finally {
      ended.catch(() => {});
    }
    return this;
  }

  get pid() {
    return this.child.pid;
  }

  async stop() {
    this.child.kill(this.stopSignal);
    await this.ended;
  }

  /** Stops it, and starts it again so many milliseconds later. */
  async restart(away) {
    await this.stop();
    await new Promise((resolve) => setTimeout(resolve, away));
    await this.start();
  }

  pause(milliseconds) {
    this.child.kill("SIGSTOP");
    return new Promise((resolve) => setTimeout(() => resolve(this.child.kill("SIGCONT")), milliseconds));
  }

  /** Ends it and what it started, without a farewell, and removes its folder. */
  async end() {
    this.child?.kill(this.endSignal);
    await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 2000))]);
    if (this.folder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Redis, which keeps nothing on the disk. */
export async function redis() {
  const [port, folder] = [await freePort(), makeFolder("redis")];
  const command = [need("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
    "--dir", folder, "--loglevel", "warning"].map(String);
  return new Service({ name: "redis-server", command, port, folder }).start();
}

/** PostgreSQL. It refuses to run as root, so then it runs as its own user. */
export async function postgres() {
  const releases = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort((a, b) => a - b) : [];
  if (releases.length === 0) throw new Error("postgresql is not installed");
  const bin = `/usr/lib/postgresql/${releases.at(-1)}/bin`;
  const [port, folder] = [await freePort(), makeFolder("postgres")];
  const user = process.getuid() === 0 ? "postgres" : undefined;
  if (user) spawnSync("chown", [user, folder]);
  chmodSync(folder, 0o700);
  const data = join(folder, "data");
  const init = [join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"];
  const [program, ...args] = user ? ["setpriv", ...asUser(user), ...init] : init;
  const made = spawnSync(program, args, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const command = [join(bin, "postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", folder,
    "-c", "fsync=off", "-c", "log_min_messages=panic"].map(String);
  // SIGINT does not wait for its clients, and SIGQUIT for nothing.
  return new Service({ name: "postgres", command, port, folder, user, stop: "SIGINT", end: "SIGQUIT" }).start();
}

/** HAProxy before these nodes: sticky by a cookie of its own, or from one node to the next. */
export async function haproxy(nodes, sticky) {
  const [port, folder] = [await freePort(), makeFolder("haproxy")];
  const server = ({ name, port }) => `  server ${name} 127.0.0.1:${port} check inter 500${sticky ? ` cookie ${name}` : ""}`;
  const config = join(folder, "haproxy.cfg");
  writeFileSync(config, `global
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option redispatch
frontend front
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance roundrobin
${sticky ? "  cookie NODE insert indirect nocache\n" : ""}${nodes.map(server).join("\n")}
`);
  return new Service({ name: "haproxy", command: [need("haproxy"), "-db", "-f", config], port, folder }).start();
}

/** nginx before these nodes: sticky by the address of the client, or from one node to the next. */
export async function nginx(nodes, sticky) {
  const [port, folder] = [await freePort(), makeFolder("nginx")];
  const config = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(config, `daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
error_log stderr emerg;
events { worker_connections 16000; }
http {
  access_log off;
${temporary.map((what) => `  ${what}_temp_path ${folder}/${what};`).join("\n")}
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  upstream nodes {
${sticky ? "    hash $remote_addr consistent;\n" : ""}${nodes.map(({ port }) => `    server 127.0.0.1:${port};`).join("\n")}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 10m;
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 60s;
    }
  }
}
`);
  return new Service({ name: "nginx", command: [need("nginx"), "-c", config, "-p", folder], port, folder, end: "SIGTERM" }).start();
}

/** A port at which nobody listens, below those that the system gives to outgoing connections. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const server = createServer();
    const listens = new Promise((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (await listens) {
      await new Promise((resolve) => server.close(resolve));
      return port;
    }
  }
}

async function listening(port) {
  for (const start = Date.now(); Date.now() - start < patience; ) {
    const reached = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy())).on("error", () => resolve(undefined));
    });
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port} after ${patience} ms`);
}

function need(program) {
  const found = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].map((folder) => join(folder, program)).find(existsSync);
  if (!found) throw new Error(`${program} is not installed`);
  return found;
}

function makeFolder(name) {
  return mkdtempSync(join(tmpdir(), `sockrates-${name}-`));
}

function asUser(user) {
  return [`--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
}
