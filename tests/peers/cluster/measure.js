// What a cluster loses when something of it breaks: a row of the table in docs/clusters.md.
//
//   SOCKRATES_BIN=../../../target/debug/sockrates node measure.js redis-streams 'restart broker 2000'
//   node measure.js redis 'kill b' 'start b'
//
// Ninety clients over three nodes say something each second for thirty seconds, as in the scenario cluster/while-it-breaks. Ten
// seconds in, the lines are typed into stack.js, four seconds between them. The row: stack, what was done, deliveries that were
// owed, missing, doubled, out of order, clients that lost their connection. `none` does nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const [kind, ...actions] = process.argv.slice(2);
if (!kind || actions.length === 0) {
  console.error("usage: node measure.js STACK LINE...");
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const sockrates = process.env.SOCKRATES_BIN ?? "sockrates";
const folder = mkdtempSync(join(tmpdir(), "sockrates-measure-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const stack = spawn("node", [here("stack.js"), kind], { stdio: ["pipe", "pipe", "ignore"] });
const ended = once(stack, "exit");
const urls = [];
const ready = new Promise((resolve) => createInterface({ input: stack.stdout }).on("line", (line) => {
  const [, name, url] = line.match(/^(\w) listening on (http:\/\/[\d.:]+)/) ?? [];
  if (name && urls.length < 6) urls.push("--url", `${name}=${url}`);
  if (line === "ready") resolve(true);
}));
if (!(await Promise.race([ready, ended.then(() => false)]))) {
  console.error(`the stack ${kind} does not start: node stack.js ${kind} tells why`);
  process.exit(3);
}
// The adapters learn of each other by heartbeats, the slowest of them every five seconds.
await pause(6_000);

const result = join(folder, "result.json");
const scenario = here("../../../scenarios/cluster/while-it-breaks.yaml");
const run = spawn(sockrates, ["run", scenario, ...urls, "--quiet", "--json", result], { stdio: "ignore" });
const played = once(run, "exit");
// Two seconds until everybody is there and known.
await pause(12_000);
for (const action of actions.filter((action) => action !== "none")) {
  stack.stdin.write(`${action}\n`);
  await pause(4_000);
}
await played;
stack.stdin.end();
await ended;

const { deliveries, counters } = JSON.parse(readFileSync(result, "utf8")).body[0];
const { expected, missing, duplicate, disordered } = deliveries;
const dropped = counters.find(({ name }) => name === "connection dropped").value;
const share = ((100 * missing) / expected).toFixed(2);
const number = (value) => value.toLocaleString("en");
console.log(`| \`${kind}\` | ${actions.join(", ")} | ${number(expected)} | ${number(missing)} (${share} %) | ${number(duplicate)} | ${number(disordered)} | ${dropped} of 90 |`);
