// The official client of Socket.IO 2, which nobody here wrote, against a server that offers the fixture contract to it. Nothing
// here waits for a length of time: a test waits for what it expects, or for an acknowledged round trip behind which nothing
// earlier can hide.
const assert = require("node:assert/strict");
const { describe, test } = require("node:test");
const io = require("socket.io-client");

const PATIENCE = 5_000; // for something that is certain to come
const url = process.env.SOCKRATES_URL?.replace(/\/socket\.io\/?$/, "");
if (!url) throw new Error("SOCKRATES_URL does not say which server to test; with-server.js sets it");

const WAYS = { websocket: ["websocket"], polling: ["polling"], "polling upgraded to websocket": ["polling", "websocket"] };
const numbers = (count) => Array.from({ length: count }, (_, i) => i);

/** Opens an official client, which is closed with the test `t`. */
function open(t, namespace = "/", options = {}) {
  const socket = io(url + namespace, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
  t.after(() => socket.io.engine.close());
  socket.notes = [];
  const { onevent } = socket;
  socket.onevent = function (packet) {
    this.notes.push(packet.data);
    onevent.call(this, packet);
  };
  return socket;
}

/**
 * The arguments with which `emitter` emits `event` the next time. An error of the server refuses it.
 *
 * Where clients of an earlier test can cause the same event, `wanted` says of the arguments whether they are the ones.
 */
function next(emitter, event, wanted = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${event}" within ${PATIENCE} ms`)), PATIENCE);
    const settle = (outcome) => (...args) => (clearTimeout(timer), outcome(args));
    const heard = (...args) => {
      if (!wanted(...args)) return;
      emitter.off(event, heard);
      settle(resolve)(...args);
    };
    emitter.on(event, heard);
    if (event === "connect") emitter.once("error", settle(([reason]) => reject(reason)));
  });
}

async function connect(t, namespace, options) {
  const socket = open(t, namespace, options);
  const upgraded = options?.transports?.length > 1 && next(socket.io.engine, "upgrade");
  await next(socket, "connect");
  await upgraded;
  return socket;
}

/** Emits `event` and gives all arguments of the acknowledgement. */
function ask(socket, event, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${event}" was not acknowledged`)), PATIENCE);
    socket.emit(event, ...args, (...answer) => (clearTimeout(timer), resolve(answer)));
  });
}

const fence = (...sockets) => Promise.all(sockets.map((socket) => ask(socket, "message-with-ack", "fence")));
const heard = (socket, event) => socket.notes.filter(([name]) => name === event).map(([, ...args]) => args);
const cast = (socket, target, event, ...args) => ask(socket, "t:cast", target, event, args);

async function counts(event, ...sockets) {
  await fence(...sockets);
  return sockets.map((socket) => heard(socket, event).length);
}

for (const [way, transports] of Object.entries(WAYS)) {
  describe(`over ${way}`, () => {
    const enter = (t, namespace, options) => connect(t, namespace, { ...options, transports });

    test("the client connects and both sides agree on the transport and the id", async (t) => {
      const socket = await enter(t);
      const [who] = await ask(socket, "t:who");
      assert.equal(who.id, socket.id);
      assert.equal(who.transport, transports.at(-1));
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
    });

    test("events come back with all their arguments, text of every kind among them", async (t) => {
      const socket = await enter(t);
      const args = [1, "zwei – 二 – 🧦", null, { deep: [true, { er: 1.5 }] }];
      socket.emit("message", ...args);
      await fence(socket);
      assert.deepEqual(heard(socket, "message-back"), [args]);
    });

    test("acknowledgements bring several arguments, each to its own event", async (t) => {
      const socket = await enter(t);
      assert.deepEqual(await ask(socket, "message-with-ack", 1, "2", { 3: [false] }), [1, "2", { 3: [false] }]);
      const answers = await Promise.all(numbers(50).map((i) => ask(socket, "message-with-ack", i)));
      assert.deepEqual(answers, numbers(50).map((i) => [i]));
    });

    test("the server asks and the client answers", async (t) => {
      const socket = await enter(t);
      socket.on("sum", (a, b, ack) => ack(a + b, "done"));
      assert.deepEqual(await ask(socket, "t:ask", 5000, "sum", [2, 3]), [false, 5, "done"]);
    });

    test("binary arrives as binary, wherever it sits", async (t) => {
      const socket = await enter(t);
      const attached = { first: Buffer.from([0, 255]), nested: [{ second: Buffer.from("bytes") }, "text"] };
      socket.emit("message", Buffer.from([1, 2, 3]), attached);
      await fence(socket);
      assert.deepEqual(heard(socket, "message-back"), [[Buffer.from([1, 2, 3]), attached]]);
      assert.deepEqual(await ask(socket, "message-with-ack", attached), [attached]);
    });

    test("a burst arrives completely and in order, text and binary mixed", async (t) => {
      const socket = await enter(t);
      await ask(socket, "t:burst", 100, 1, true);
      const expected = numbers(100).map((i) => (i % 2 ? [i, Buffer.from([i])] : [i]));
      assert.deepEqual(heard(socket, "n"), expected);
    });

    test("heartbeats of the client are answered", async (t) => {
      const socket = await enter(t);
      if (socket.io.engine.pingInterval > 1000) return t.skip("the heartbeat of this server is too slow to watch");
      for (const _ of numbers(3)) await next(socket, "pong");
      assert.ok(socket.connected);
      await fence(socket);
    });

    test("a namespace is joined with its credentials, and refused without them", async (t) => {
      const inside = await enter(t, "/guard?token=ok");
      assert.equal((await ask(inside, "t:who"))[0].nsp, "/guard");
      const outside = open(t, "/guard?token=wrong", { transports });
      assert.deepEqual(await next(outside, "error"), [{ message: "nope", data: { code: 7 } }]);
    });
  });
}

describe("the handshake", () => {
  test("carries the query and the headers of the client", async (t) => {
    const options = { query: { colour: "red & blue" }, transportOptions: { polling: { extraHeaders: { "x-test": "yes" } } } };
    const socket = await connect(t, "/", { ...options, transports: ["polling"] });
    const [who] = await ask(socket, "t:who");
    assert.equal(who.query.colour, "red & blue");
    assert.equal(who.headers["x-test"], "yes");
  });
});

describe("rooms and broadcasts", () => {
  test("a broadcast reaches everyone but its sender", async (t) => {
    const [sender, ...others] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await cast(sender, { from: "socket" }, "news-for-others", "hello");
    assert.deepEqual(await counts("news-for-others", sender, ...others), [0, 1, 1]);
  });

  test("a room is joined, heard and left", async (t) => {
    const [sender, member, stranger] = await Promise.all([1, 2, 3].map(() => connect(t)));
    assert.ok((await ask(member, "t:join", ["cellar"]))[0].includes("cellar"));
    await cast(sender, { from: "io", to: ["cellar"] }, "news");
    assert.deepEqual(await counts("news", sender, member, stranger), [0, 1, 0]);
    await ask(member, "t:leave", "cellar");
    await cast(sender, { from: "io", to: ["cellar"] }, "news");
    assert.deepEqual(await counts("news", member), [1]);
  });

  test("a binary broadcast is the same for receivers on every transport", async (t) => {
    const sender = await connect(t);
    const receivers = await Promise.all(Object.values(WAYS).map((transports) => connect(t, "/", { transports })));
    await cast(sender, { from: "socket" }, "picture", Buffer.from([0, 1, 254, 255]), { alt: "four bytes" });
    await fence(...receivers);
    for (const receiver of receivers) {
      assert.deepEqual(heard(receiver, "picture"), [[Buffer.from([0, 1, 254, 255]), { alt: "four bytes" }]]);
    }
  });
});

describe("namespaces", () => {
  test("keep their events apart, and have ids that begin with their name", async (t) => {
    const [main, custom] = [await connect(t), await connect(t, "/custom")];
    assert.match((await ask(custom, "t:who"))[0].id, /^\/custom#/);
    await Promise.all([main, custom].map((socket) => ask(socket, "t:join", ["room"])));
    await cast(main, { from: "io", to: ["room"] }, "news");
    assert.deepEqual(await counts("news", main, custom), [1, 0]);
  });

  test("that do not exist are refused", async (t) => {
    const [reason] = await next(open(t, "/nowhere"), "error");
    // A server of today with `allowEIO3` says it in an object.
    assert.equal(reason.message ?? reason, "Invalid namespace");
  });
});

describe("the end of a connection", () => {
  test("is told to the others with the reason and the rooms that were left", async (t) => {
    const [watcher, leaver] = await Promise.all([connect(t), connect(t)]);
    await Promise.all([ask(watcher, "t:join", ["watch"]), ask(leaver, "t:join", ["lounge"])]);
    const { id } = leaver;
    const gone = next(watcher, "gone", (who) => who === id);
    leaver.io.engine.close();
    const [who, namespace, reason, rooms] = await gone;
    assert.deepEqual([who, namespace, reason], [id, "/", "transport close"]);
    assert.ok(rooms.includes("lounge"));
  });

  test("comes from the server when it says so", async (t) => {
    const socket = await connect(t);
    const end = next(socket, "disconnect");
    socket.emit("t:bye", true);
    assert.match((await end)[0], /^(io server disconnect|transport close)$/);
  });
});
