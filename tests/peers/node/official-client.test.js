// The official client, which nobody here wrote, against a server that offers the fixture contract.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NodeWebSocket, NodeXHR } from "socket.io-client";
import { ask, askForAll, connect, connectTo, counts, fence, heard, next, open } from "./testing.js";

const WAYS = { websocket: ["websocket"], polling: ["polling"], "polling upgraded to websocket": ["polling", "websocket"] };

const numbers = (count) => Array.from({ length: count }, (_, i) => i);
const join = (socket, ...rooms) => ask(socket, "t:join", rooms);
const cast = (socket, target, event, ...args) => askForAll(socket, "t:cast", target, event, args);

for (const [way, transports] of Object.entries(WAYS)) {
  describe(`over ${way}`, () => {
    const enter = async (t, namespace, options) => {
      const socket = open(t, namespace, { ...options, transports });
      const upgraded = transports.length > 1 && next(socket.io.engine, "upgrade");
      await next(socket, "connect");
      await upgraded;
      return socket;
    };

    test("the client connects and both sides agree on the transport", async (t) => {
      const socket = await enter(t);
      const who = await ask(socket, "t:who");
      assert.equal(who.id, socket.id);
      assert.equal(who.transport, transports.at(-1));
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
    });

    test("events come back with all their arguments", async (t) => {
      const socket = await enter(t);
      socket.emit("message", 1, "zwei – 二 – 🧦", null, { deep: [true, { er: 1.5 }] });
      await fence(socket);
      assert.deepEqual(heard(socket, "message-back"), [[1, "zwei – 二 – 🧦", null, { deep: [true, { er: 1.5 }] }]]);
    });

    test("acknowledgements bring several arguments, each to its own event", async (t) => {
      const socket = await enter(t);
      assert.deepEqual(await askForAll(socket, "message-with-ack", 1, "2", { 3: [false] }), [1, "2", { 3: [false] }]);
      const answers = await Promise.all(numbers(50).map((i) => ask(socket, "message-with-ack", i)));
      assert.deepEqual(answers, numbers(50));
    });

    test("the server asks and the client answers", async (t) => {
      const socket = await enter(t);
      socket.on("sum", (a, b, ack) => ack(a + b, "done"));
      assert.deepEqual(await askForAll(socket, "t:ask", 5000, "sum", [2, 3]), [false, 5, "done"]);
    });

    test("binary arrives as binary, wherever it sits", async (t) => {
      const socket = await enter(t);
      const attached = { first: Buffer.from([0, 255]), nested: [{ second: Buffer.from("bytes") }, "text"] };
      socket.emit("message", Buffer.from([1, 2, 3]), attached);
      await fence(socket);
      assert.deepEqual(heard(socket, "message-back"), [[Buffer.from([1, 2, 3]), attached]]);
      assert.deepEqual(await ask(socket, "message-with-ack", attached), attached);
    });

    test("a burst arrives completely and in order, text and binary mixed", async (t) => {
      const socket = await enter(t);
      await ask(socket, "t:burst", 100, 1, true);
      const expected = numbers(100).map((i) => (i % 2 ? [i, Buffer.from([i])] : [i]));
      assert.deepEqual(heard(socket, "n"), expected);
    });

    test("heartbeats keep a silent client connected", async (t) => {
      const socket = await enter(t);
      if (socket.io.engine.pingInterval > 1000) return t.skip("the heartbeat of this server is too slow to watch");
      for (const _ of numbers(3)) await next(socket.io, "ping");
      assert.ok(socket.connected);
      await fence(socket);
    });
  });
}

describe("the handshake", () => {
  test("carries the authentication, the query and the headers of the client", async (t) => {
    const auth = { token: "secret" };
    const socket = await connect(t, "/", { auth, query: { colour: "red & blue" }, extraHeaders: { "x-test": "yes" } });
    const who = await ask(socket, "t:who");
    assert.deepEqual(who.auth, auth);
    assert.equal(who.query.colour, "red & blue");
    assert.equal(who.headers["x-test"], "yes");
    assert.deepEqual(heard(socket, "auth"), [[auth]]);
  });

  test("without authentication hands the server an empty object", async (t) => {
    const socket = await connect(t);
    await fence(socket);
    assert.deepEqual(heard(socket, "auth"), [[{}]]);
  });
});

describe("acknowledgements asked of clients", () => {
  test("time out when the client says nothing", async (t) => {
    const socket = await connect(t);
    assert.deepEqual(await askForAll(socket, "t:ask", 50, "nobody answers this", []), [true]);
  });

  test("are collected from every member of a room", async (t) => {
    const [asking, ...members] = await Promise.all([1, 2, 3].map(() => connect(t)));
    for (const [i, member] of members.entries()) {
      await join(member, "jury");
      member.on("vote", (question, ack) => ack(`${question} ${i}`));
    }
    const [timedOut, votes] = await askForAll(asking, "t:cast-ack", { from: "io", to: ["jury"] }, 5000, "vote", ["no"]);
    assert.equal(timedOut, false);
    assert.deepEqual(votes.sort(), ["no 0", "no 1"]);
  });

  test("are given as far as they came when someone stays silent", async (t) => {
    const [asking, talkative, silent] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await Promise.all([join(talkative, "panel"), join(silent, "panel")]);
    talkative.on("vote", (ack) => ack("yes"));
    const answer = await askForAll(asking, "t:cast-ack", { from: "io", to: ["panel"] }, 100, "vote", []);
    assert.deepEqual(answer, [true, ["yes"]]);
  });
});

describe("rooms and broadcasts", () => {
  test("a broadcast reaches everyone but its sender", async (t) => {
    const [sender, ...others] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await cast(sender, { from: "socket" }, "news-for-others", "hello");
    assert.deepEqual(await counts("news-for-others", sender, ...others), [0, 1, 1]);
    assert.deepEqual(heard(others[0], "news-for-others"), [["hello"]]);
  });

  test("what the server itself sends to a room reaches the sender, too", async (t) => {
    const [sender, member, stranger] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await Promise.all([join(sender, "hall"), join(member, "hall")]);
    await cast(sender, { from: "io", to: ["hall"] }, "news");
    assert.deepEqual(await counts("news", sender, member, stranger), [1, 1, 0]);
  });

  test("a member of two rooms hears once, and who is excepted hears nothing", async (t) => {
    const [sender, both, one, excepted] = await Promise.all([1, 2, 3, 4].map(() => connect(t)));
    await Promise.all([join(both, "north", "south"), join(one, "south"), join(excepted, "north", "quiet")]);
    await cast(sender, { from: "io", to: ["north", "south"], except: ["quiet"] }, "news");
    assert.deepEqual(await counts("news", sender, both, one, excepted), [0, 1, 1, 0]);
  });

  test("who has left a room hears no more of it", async (t) => {
    const [sender, member] = await Promise.all([1, 2].map(() => connect(t)));
    assert.ok((await join(member, "cellar")).includes("cellar"));
    await cast(sender, { from: "io", to: ["cellar"] }, "news");
    assert.ok(!(await ask(member, "t:leave", "cellar")).includes("cellar"));
    await cast(sender, { from: "io", to: ["cellar"] }, "news");
    assert.deepEqual(await counts("news", member), [1]);
  });

  test("the server takes members of one room into another and out of it", async (t) => {
    const [sender, member, stranger] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await join(member, "stairs");
    await askForAll(sender, "t:sockets", { to: ["stairs"] }, "join", "tower");
    await cast(sender, { from: "io", to: ["tower"] }, "news");
    await askForAll(sender, "t:sockets", { to: ["stairs"] }, "leave", "tower");
    await cast(sender, { from: "io", to: ["tower"] }, "news");
    assert.deepEqual(await counts("news", sender, member, stranger), [0, 1, 0]);
  });

  test("one's own id is a room for private messages", async (t) => {
    const [sender, receiver, stranger] = await Promise.all([1, 2, 3].map(() => connect(t)));
    await cast(sender, { from: "socket", to: [receiver.id] }, "whisper");
    assert.deepEqual(await counts("whisper", sender, receiver, stranger), [0, 1, 0]);
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
  test("share one connection and keep their events apart", async (t) => {
    const [main, custom] = await connectTo(t, ["/", "/custom"]);
    assert.equal((await ask(main, "t:who")).nsp, "/");
    assert.equal((await ask(custom, "t:who")).nsp, "/custom");

    await Promise.all([join(main, "room"), join(custom, "room")]);
    await cast(main, { from: "io", to: ["room"] }, "news");
    assert.deepEqual(await counts("news", main, custom), [1, 0]);
  });

  test("that match a pattern come into being when they are asked for", async (t) => {
    const [one, same, other] = await Promise.all(["/dyn-1", "/dyn-1", "/dyn-2"].map((name) => connect(t, name)));
    await cast(one, { from: "io" }, "news");
    assert.deepEqual(await counts("news", one, same, other), [1, 1, 0]);
  });

  test("that do not exist are refused", async (t) => {
    await assert.rejects(connect(t, "/nowhere"), { message: "Invalid namespace" });
    await assert.rejects(connect(t, "/dyn-x"), { message: "Invalid namespace" });
  });

  test("can be left while the others stay", async (t) => {
    const [main, custom] = await connectTo(t, ["/", "/custom"]);
    await join(main, "watch");
    const { id } = custom;
    const gone = next(main, "gone", (who) => who === id);
    custom.disconnect();
    assert.deepEqual((await gone).slice(0, 3), [id, "/custom", "client namespace disconnect"]);
    await fence(main);
  });
});

describe("a middleware", () => {
  test("refuses with its reason", async (t) => {
    await assert.rejects(connect(t, "/guard", { auth: { token: "wrong" } }), (error) => {
      assert.equal(error.message, "nope");
      assert.deepEqual(error.data, { code: 7 });
      return true;
    });
  });

  test("lets in who has the right token, on the connection that was refused before", async (t) => {
    const socket = open(t, "/guard", { auth: { token: "wrong" } });
    await assert.rejects(next(socket, "connect"));
    socket.auth = { token: "ok" };
    socket.connect();
    await next(socket, "connect");
    assert.equal((await ask(socket, "t:who")).nsp, "/guard");
  });
});

describe("the end of a connection", () => {
  test("is told to the others with the reason and the rooms that were left", async (t) => {
    const [watcher, leaver] = await Promise.all([connect(t), connect(t)]);
    await Promise.all([join(watcher, "watch"), join(leaver, "lounge")]);
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
    assert.equal((await end)[0], "io server disconnect");
  });

  test("can be brought upon a whole room", async (t) => {
    const [sender, member] = await Promise.all([connect(t), connect(t)]);
    await join(member, "doomed");
    const end = next(member, "disconnect");
    await askForAll(sender, "t:sockets", { to: ["doomed"] }, "disconnect", true);
    assert.equal((await end)[0], "io server disconnect");
    await fence(sender);
  });
});

describe("across the upgrade, which happens in the middle of the traffic,", () => {
  /** Transports of which the second one opens only when it is released. */
  const lateUpgrade = () => {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    class LateWebSocket extends NodeWebSocket {
      doOpen() {
        released.then(() => super.doOpen());
      }
    }
    return { transports: [NodeXHR, LateWebSocket], release };
  };

  /** Repeats `round` before, during and after the upgrade of a new client and returns how many rounds there were. */
  const throughout = async (t, round) => {
    const { transports, release } = lateUpgrade();
    const socket = await connect(t, "/", { transports });
    let rounds = 0;
    const once = () => round(socket, rounds++);

    await once();
    assert.equal(socket.io.engine.transport.name, "polling");
    let upgraded = false;
    const upgrade = next(socket.io.engine, "upgrade").then(() => (upgraded = true));
    release();
    while (!upgraded) await Promise.all([once(), Promise.race([upgrade, fence(socket)])]);
    assert.equal(socket.io.engine.transport.name, "websocket");
    await once();
    return { socket, rounds };
  };

  test("what the server sends arrives in order, nothing lost and nothing twice", async (t) => {
    const { socket, rounds } = await throughout(t, (socket) => ask(socket, "t:burst", 20, 1, false));
    const expected = numbers(rounds).flatMap(() => numbers(20).map((i) => [i]));
    assert.deepEqual(heard(socket, "n"), expected);
  });

  test("what the client sends arrives in order, nothing lost and nothing twice", async (t) => {
    const { socket, rounds } = await throughout(t, (socket, round) => {
      for (const i of numbers(20)) socket.emit("message", round * 20 + i);
      return fence(socket);
    });
    assert.deepEqual(heard(socket, "message-back"), numbers(rounds * 20).map((i) => [i]));
  });
});

describe("connection state recovery", () => {
  /** A client in the room "den" that has heard news from there, and a friend who watches and brings the news. */
  const inTheDen = async (t) => {
    const [socket, friend] = await Promise.all([connect(t), connect(t)]);
    await Promise.all([join(socket, "den"), join(friend, "watch")]);
    const news = (...args) => cast(friend, { from: "io", to: ["den"] }, "news", ...args);
    await news("heard");
    await fence(socket);
    return { socket, friend, news };
  };
  const offered = (t, socket) => {
    if (socket._pid) return true;
    if (process.env.SOCKRATES_RECOVERY === "required") assert.fail("this server offers no recovery");
    t.skip("this server offers no recovery");
    return false;
  };

  test("a lost connection is taken up again with its id, its rooms and what it missed", async (t) => {
    const { socket, friend, news } = await inTheDen(t);
    if (!offered(t, socket)) return;
    const { id } = socket;
    const gone = next(friend, "gone", (who) => who === id);
    socket.io.engine.close();
    await gone;
    await news("missed");
    socket.connect();
    await next(socket, "connect");
    await news("again");
    await fence(socket);

    assert.ok(socket.recovered);
    assert.equal(socket.id, id);
    assert.deepEqual(heard(socket, "news").map(([text]) => text), ["heard", "missed", "again"]);
  });

  test("who has left on purpose starts afresh", async (t) => {
    const { socket, news } = await inTheDen(t);
    if (!offered(t, socket)) return;
    const id = socket.id;
    socket.disconnect();
    socket.connect();
    await next(socket, "connect");
    await news("not for us");
    await fence(socket);

    assert.ok(!socket.recovered);
    assert.notEqual(socket.id, id);
    assert.deepEqual(heard(socket, "news").map(([text]) => text), ["heard"]);
  });
});
