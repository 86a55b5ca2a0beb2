// Every stack starts, carries what its adapter promises between its nodes, goes on when its broker and a node were started again,
// and ends with whoever started it. The clients are the official ones.
//
// A stack whose programs are not installed is skipped, unless SOCKRATES_PEERS=required.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const { io } = createRequire(new URL("../node/package.json", import.meta.url))("socket.io-client");

const required = process.env.SOCKRATES_PEERS === "required";
const joined = ["redis", "redis-sharded", "redis-streams", "postgres", "cluster", "python"];
const outliveBroker = ["redis", "redis-sharded", "redis-streams", "postgres-guarded", "python"];

for (const kind of joined) {
  test(`${kind}: what a client says is heard at every node, and its rooms are known there`, async (t) => {
    const stack = await start(t, kind);
    if (!stack) return;
    const [a, b, c] = await clients(t, stack);
    await ask(b, "t:join", "r");
    await until(a, "to the members", ["r"], [b]);
    assert.deepEqual(c.heard.filter((text) => text === "to the members"), [], "c is no member");
    if (kind !== "python") {
      // python-socketio looks up the members of its own node alone.
      assert.deepEqual(await ask(a, "t:sockets", { to: ["r"] }, "list", null), [b.id]);
    }
  });
}

for (const kind of outliveBroker) {
  test(`${kind}: once its broker was started again, every node hears the others`, async (t) => {
    const stack = await start(t, kind);
    if (!stack) return;
    const all = await clients(t, stack);
    await stack.act("restart broker");
    await until(all[0], "again", [], all.slice(1));
  });
}

// docs/clusters.md tells of it.
test("postgres: as its README sets it up, every node ends when the database is started again", async (t) => {
  const stack = await start(t, "postgres");
  if (!stack) return;
  const all = await clients(t, stack);
  const lost = all.map((client) => new Promise((resolve) => client.once("disconnect", resolve)));
  await stack.act("restart broker");
  assert.deepEqual(await Promise.all(lost), ["transport close", "transport close", "transport close"]);
});

test("a node that was killed and started again hears the others", async (t) => {
  const stack = await start(t, "redis");
  if (!stack) return;
  await stack.act("kill b");
  await stack.act("start b");
  const [a, b] = await clients(t, stack);
  await until(a, "again", [], [b]);
});

test("without an adapter the nodes hear nothing of each other", async (t) => {
  const stack = await start(t, "none");
  const [a, b] = await clients(t, stack);
  await ask(a, "t:cast", { from: "io" }, "said", ["alone"]);
  await ask(b, "t:cast", { from: "io" }, "said", ["fence"]);
  assert.deepEqual(b.heard, ["fence"]);
});

for (const balancer of ["haproxy", "nginx"]) {
  test(`${balancer}: a client that polls keeps its session where the balancer is sticky`, async (t) => {
    const stack = await start(t, "redis", "--balancer", balancer);
    if (!stack) return;
    const client = await connect(t, stack.balancer, { transports: ["polling"], withCredentials: true });
    assert.equal((await ask(client, "t:who")).id, client.id);
  });

  test(`${balancer}: a client that polls loses its session where the balancer is not sticky`, async (t) => {
    const stack = await start(t, "none", "--balancer", `${balancer}-round-robin`);
    if (!stack) return;
    const statuses = new Set();
    for (let i = 0; i < 3; i++) {
      const open = await fetch(`${stack.balancer}/socket.io/?EIO=4&transport=polling`);
      const { sid } = JSON.parse((await open.text()).slice(1));
      const post = { method: "POST", body: "40", headers: { connection: "close" } };
      const response = await fetch(`${stack.balancer}/socket.io/?EIO=4&transport=polling&sid=${sid}`, post);
      statuses.add(`${response.status} ${await response.text()}`);
    }
    assert.ok([...statuses].some((status) => status.startsWith("400") && status.includes("Session ID unknown")), [...statuses].join());
  });
}

/** Starts a stack; `undefined` where a program is missing, and the test is skipped. */
async function start(t, ...args) {
  const child = spawn("node", [fileURLToPath(new URL("stack.js", import.meta.url)), ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-2000)));
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const lines = createInterface({ input: child.stdout });
  const stack = { nodes: {}, act: (line) => act(child, lines, line) };
  const ready = new Promise((resolve) => lines.on("line", (line) => {
    const [, name, url] = line.match(/^(\w+) .*\bon (http:\/\/[\d.:]+)/) ?? [];
    if (name === "balancer") stack.balancer = url;
    else if (name) stack.nodes[name] = url;
    if (line === "ready") resolve(true);
  }));
  if (await Promise.race([ready, ended.then(() => false)])) return stack;
  assert.match(errors, /is not installed/, errors);
  assert.ok(!required, `${errors.trim()}, and SOCKRATES_PEERS=required`);
  t.skip(errors.trim());
}

async function act(child, lines, line) {
  const answer = new Promise((resolve) => lines.on("line", (said) => /^(did|failed) /.test(said) && resolve(said)));
  child.stdin.write(`${line}\n`);
  assert.equal(await answer, `did ${line}`);
}

function clients(t, stack) {
  return Promise.all(["a", "b", "c"].map((node) => connect(t, stack.nodes[node], { transports: ["websocket"] })));
}

async function connect(t, url, options) {
  const client = io(url, { forceNew: true, ...options });
  t.after(() => client.close());
  client.heard = [];
  client.on("said", (text) => client.heard.push(text));
  await new Promise((resolve, reject) => client.on("connect", resolve).on("connect_error", reject));
  return client;
}

function ask(client, ...args) {
  return client.timeout(10_000).emitWithAck(...args);
}

/** Says it until all of these have heard it: nodes learn of each other only after a while, and what is said before is lost. */
async function until(client, text, rooms, receivers) {
  for (const start = Date.now(); !receivers.every(({ heard }) => heard.includes(text)); ) {
    assert.ok(Date.now() - start < 20_000, `not heard by ${receivers.filter(({ heard }) => !heard.includes(text)).length} of them`);
    await ask(client, "t:cast", { from: "socket", to: rooms }, "said", [text]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
