// A whole cluster with one command: its broker, its nodes with the fixture, and a balancer in front.
//
//   node stack.js redis                          three Node peers with the Redis adapter
//   node stack.js redis --nodes 2 --balancer haproxy
//
// Stacks: none, redis, redis-sharded, redis-streams, postgres, postgres-guarded, cluster (Node), python (python-socketio with
// Redis).
// Balancers: haproxy, nginx (sticky), haproxy-round-robin, nginx-round-robin (not sticky). The stack `cluster` has its own,
// which is sticky.
//
// A line on standard output for each part, and `ready`. Lines on standard input break it: `restart broker 2000` (away for so many
// milliseconds), `pause broker 2000`, `kill b`, `stop b`, `start b`; each is answered by `did …`. When standard input ends, all of it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort, haproxy, nginx, postgres, redis } from "./services.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? here("../../../target");
const onNode = { command: ["node", here("../node/fixture.js")] };
const stacks = {
  none: onNode,
  redis: { ...onNode, broker: redis },
  "redis-sharded": { ...onNode, broker: redis },
  "redis-streams": { ...onNode, broker: redis, env: { CSR: "1", CSR_MAX_DISCONNECTION: "30000" } },
  postgres: { ...onNode, broker: postgres },
  "postgres-guarded": { ...onNode, broker: postgres },
  cluster: {},
  python: { command: [`${target}/peers/python/bin/python`, here("../python/fixture.py")], broker: redis },
};
const balancers = {
  haproxy: (nodes) => haproxy(nodes, true),
  "haproxy-round-robin": (nodes) => haproxy(nodes, false),
  nginx: (nodes) => nginx(nodes, true),
  "nginx-round-robin": (nodes) => nginx(nodes, false),
};
// For load, not for watching heartbeats.
const times = { PING_INTERVAL: "25000", PING_TIMEOUT: "20000", CONNECT_TIMEOUT: "45000", UPGRADE_TIMEOUT: "10000" };

const [kind, ...flags] = process.argv.slice(2);
const flag = (name) => (flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined);
const stack = stacks[kind];
const balancer = flag("--balancer");
const services = [];
const nodes = new Map();

if (!stack || (balancer && !balancers[balancer])) {
  console.error(`usage: node stack.js ${Object.keys(stacks).join("|")} [--nodes 3] [--balancer ${Object.keys(balancers).join("|")}]`);
  process.exit(2);
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => end(0));
try {
  await start();
} catch (error) {
  console.error(error.message);
  end(3);
}

async function start() {
  if (stack.command?.[0].startsWith("/") && !existsSync(stack.command[0])) {
    throw new Error(`${stack.command[0]} is not installed (.ci/peers install would bring it)`);
  }
  const broker = await stack.broker?.();
  if (broker) {
    services.push(broker);
    console.log(`broker ${broker.name} on 127.0.0.1:${broker.port} pid ${broker.pid}`);
  }
  const names = [...Array(Number(flag("--nodes") ?? 3)).keys()].map((index) => String.fromCharCode(97 + index));
  for (const name of names) nodes.set(name, { name, port: await freePort() });
  const all = [...nodes.values()];
  const env = { ...times, ...process.env, ...stack.env, PORTS: all.map(({ port }) => port).join(","), EXIT_WITH_STDIN: "1" };
  if (broker) env[broker.name === "postgres" ? "POSTGRES_PORT" : "REDIS_PORT"] = String(broker.port);
  if (kind === "cluster") await startForked(env);
  else await Promise.all(all.map((node) => startNode(node, env)));
  if (balancer) {
    const service = await balancers[balancer](all);
    services.push(service);
    console.log(`balancer ${service.name} on http://127.0.0.1:${service.port}/socket.io/ pid ${service.pid}`);
  }
  console.log("ready");
  createInterface({ input: process.stdin })
    .on("line", (line) => act(line, broker, env).then(() => console.log(`did ${line}`), (error) => console.log(`failed ${line}: ${error.message}`)))
    .on("close", () => end(0));
}

async function startNode(node, env) {
  const [program, ...args] = stack.command;
  const child = spawn(program, args, {
    env: { ADAPTER: kind, ...env, NODE: node.name, PORT: String(node.port) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  node.child = child;
  node.ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const said = new Promise((resolve) => lines.on("line", (line) => line.startsWith("listening on ") && resolve(line)));
  const line = await Promise.race([said, node.ended.then(([code]) => Promise.reject(new Error(`node ${node.name} ended with exit code ${code}`)))]);
  console.log(`${node.name} ${line} pid ${child.pid}`);
}

// The nodes are children of a process of their own, which is the bus and the balancer as well.
async function startForked(env) {
  const primary = spawn("node", [here("../node/sticky.js")], { env: { ...env, PORT: "0" }, stdio: ["pipe", "pipe", "inherit"] });
  services.push({ end: () => primary.kill("SIGKILL") });
  let missing = nodes.size + 1;
  await new Promise((resolve, reject) => {
    primary.once("exit", (code) => reject(new Error(`sticky.js ended with exit code ${code}`)));
    createInterface({ input: primary.stdout }).on("line", (line) => {
      console.log(line);
      const [, name, pid] = line.match(/^(\w) listening .* pid (\d+)$/) ?? [];
      if (name) Object.assign(nodes.get(name), { pid: Number(pid), primary });
      if (--missing === 0) resolve();
    });
  });
}

async function act(line, broker, env) {
  const [verb, what, argument] = line.trim().split(/\s+/);
  if (what === "broker") {
    if (!broker) throw new Error("this stack has no broker");
    if (verb === "restart") return broker.restart(Number(argument ?? 0));
    if (verb === "pause") return broker.pause(Number(argument));
  }
  const node = nodes.get(what);
  if (!node) throw new Error(`there is no ${what}`);
  if (node.primary && verb === "start") return node.primary.stdin.write(`start ${what}\n`);
  if (node.primary) return process.kill(node.pid, verb === "kill" ? "SIGKILL" : "SIGTERM");
  if (verb === "start") return startNode(node, env);
  node.child.kill(verb === "kill" ? "SIGKILL" : "SIGTERM");
  await node.ended;
}

async function end(code) {
  for (const node of nodes.values()) node.child?.kill("SIGKILL");
  await Promise.all(services.map((service) => service.end()));
  process.exit(code);
}
