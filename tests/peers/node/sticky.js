// The cluster of Node itself: one process that forks the nodes, joined by `@socket.io/cluster-adapter`, with
// `@socket.io/sticky` in front of them.
//
//   PORTS   the ports of the nodes, with commas between; any free ones without it
//   NODES   how many nodes, where PORTS is absent: 3
//   PORT    the port of the front, which leads the requests of a session to one node
//
// A node that ends is not started again until this process is told so: a line `start b` on standard input.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { setupPrimary } from "@socket.io/cluster-adapter";
import sticky from "@socket.io/sticky";

const count = Number(process.env.NODES ?? 3);
const ports = process.env.PORTS ? process.env.PORTS.split(",") : Array(count).fill("0");

const front = createServer();
sticky.setupMaster(front, { loadBalancingMethod: "round-robin" });
setupPrimary();
cluster.setupPrimary({ exec: new URL("fixture.js", import.meta.url).pathname, stdio: ["ignore", "pipe", "inherit", "ipc"] });
ports.forEach((_, index) => start(String.fromCharCode(97 + index)));
front.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`balancer on http://127.0.0.1:${front.address().port}/socket.io/`);
});

function start(name) {
  const PORT = ports[name.charCodeAt(0) - 97];
  const worker = cluster.fork({ ADAPTER: "cluster", NODE: name, PORT, EXIT_WITH_STDIN: "" });
  createInterface({ input: worker.process.stdout }).on("line", (line) => console.log(`${name} ${line} pid ${worker.process.pid}`));
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const [verb, name] = line.split(" ");
  if (verb === "start") start(name);
}).on("close", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
process.on("SIGINT", () => process.exit(0));
