// Whom does a broadcast reach at the sender's own node: those who are in the room when it is acknowledged, or those of a later
// moment? A row of a table in docs/clusters.md. Only the official client and the stacks take part in this, nothing of ours.
//
//   node promptness.js redis-streams [ROUNDS]
//
// Two clients at one node, a and b. As soon as a has the acknowledgement of its broadcast to a room,
//   b, a member until then, asks to leave it: does b have the message by the time it has left, and a moment later?
//   b, no member until then, asks to join it: does b get the message?
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const { io } = createRequire(new URL("../node/package.json", import.meta.url))("socket.io-client");
const [kind, rounds = "500"] = process.argv.slice(2);
if (!kind || !(Number(rounds) > 0)) {
  console.error("usage: node promptness.js STACK [ROUNDS]");
  process.exit(2);
}
const stack = spawn("node", [fileURLToPath(new URL("stack.js", import.meta.url)), kind], { stdio: ["pipe", "pipe", "ignore"] });
const ended = once(stack, "exit");
let url;
const ready = new Promise((resolve) => createInterface({ input: stack.stdout }).on("line", (line) => {
  url ??= line.match(/^a listening on (http:\/\/[\d.:]+)/)?.[1];
  if (line === "ready") resolve(true);
}));
if (!(await Promise.race([ready, ended.then(() => false)]))) {
  console.error(`the stack ${kind} does not start: node stack.js ${kind} tells why`);
  process.exit(3);
}
const [a, b] = await Promise.all([connect(), connect()]);
const ask = (client, ...args) => new Promise((resolve) => client.emit(...args, resolve));
const heard = new Set();
b.on("said", (round) => heard.add(round));

let [missed, reached] = [0, 0];
for (let round = 0; round < Number(rounds); round++) {
  await ask(b, "t:join", "r");
  await ask(a, "t:cast", { to: ["r"] }, "said", [`member ${round}`]);
  await ask(b, "t:leave", "r");
  await ask(a, "t:cast", { to: ["r"] }, "said", [`stranger ${round}`]);
  await ask(b, "t:join", "r");
  await pause(20);
  await ask(b, "t:leave", "r");
  missed += heard.has(`member ${round}`) ? 0 : 1;
  reached += heard.has(`stranger ${round}`) ? 1 : 0;
}
console.log(`| \`${kind}\` | ${missed} of ${rounds} | ${reached} of ${rounds} |`);
a.close();
b.close();
stack.stdin.end();
await ended;

async function connect() {
  const client = io(url, { transports: ["websocket"] });
  await once(client, "connect");
  return client;
}
