// The fixture on an official server one operation of which does not do what the documentation of Socket.IO says of it:
//
//   BREAK=except-ignored node broken.js
//
// The methods of socket.io itself are exchanged, so that the application is the same as in `fixture.js` and the bytes on the
// wire are good. Without BREAK the server is healthy.
import { createRequire } from "node:module";
import { Namespace, Server, Socket } from "socket.io";

/** What `to` and its like make, which the package does not export. */
const BroadcastOperator = new Server().to("a room").constructor;

/** Puts another method in the place of one; it gets the original as its first argument. */
function replace({ prototype }, name, method) {
  const original = prototype[name];
  prototype[name] = function (...args) {
    return method.call(this, original.bind(this), ...args);
  };
}

/** What an operator does at its end: emit, or one of the utility methods. */
function replaceEach(names, method) {
  for (const name of names) replace(BroadcastOperator, name, method);
}

const all = (operator) => new BroadcastOperator(operator.adapter, new Set(), new Set(), operator.flags);
const inBulk = ["fetchSockets", "socketsJoin", "socketsLeave", "disconnectSockets"];
const list = (rooms) => (Array.isArray(rooms) ? rooms : [rooms]);

const breakages = {
  // Broadcasting events
  "broadcast-to-the-sender"() {
    replace(Socket, "newBroadcastOperator", (original) => {
      const operator = original();
      operator.exceptRooms.clear();
      return operator;
    });
  },
  "emit-to-everyone"() {
    replace(Socket, "emit", function (_, ...args) {
      return this.nsp.emit(...args);
    });
  },
  "broadcast-misses-one"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      const [first] = this.rooms.size ? [] : this.adapter.sids.keys();
      if (first && this.adapter.sids.size > 1) this.exceptRooms.add(first);
      return original(...args);
    });
  },
  "broadcast-twice"() {
    replace(BroadcastOperator, "emit", (original, event, ...args) => original(event, ...args) && original(event, ...args));
  },
  "broadcast-drops-arguments"() {
    replace(BroadcastOperator, "emit", (original, event, ...args) => original(event, ...args.slice(0, 1)));
  },
  "local-nowhere"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      return this.flags.local || original(...args);
    });
  },
  "compress-nowhere"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      return this.flags.compress || original(...args);
    });
  },
  "volatile-nowhere"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      return this.flags.volatile || original(...args);
    });
  },

  // Rooms
  "room-ignored"() {
    replace(BroadcastOperator, "to", function () {
      return this;
    });
  },
  "first-of-several-rooms"() {
    replace(BroadcastOperator, "to", function (original, room) {
      return this.rooms.size ? this : original(list(room)[0]);
    });
  },
  "last-of-several-rooms"() {
    replace(BroadcastOperator, "to", function (original, room) {
      this.rooms = new Set();
      return original(list(room).at(-1));
    });
  },
  "twice-to-members-of-two-rooms"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      if (this.rooms.size < 2) return original(...args);
      for (const room of this.rooms) new BroadcastOperator(this.adapter, new Set([room]), this.exceptRooms, this.flags).emit(...args);
      return true;
    });
  },
  "except-ignored"() {
    replace(BroadcastOperator, "except", function () {
      return this;
    });
  },
  "except-ignored-beside-a-room"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      if (this.rooms.size) this.exceptRooms = new Set();
      return original(...args);
    });
  },
  "join-does-nothing"() {
    replace(Socket, "join", function (original, rooms) {
      return list(rooms).includes(this.id) ? original(rooms) : undefined;
    });
  },
  "join-takes-the-first"() {
    replace(Socket, "join", (original, rooms) => original(list(rooms).slice(0, 1)));
  },
  "join-takes-its-time"() {
    replace(Socket, "join", function (original, rooms) {
      if (list(rooms).includes(this.id)) return original(rooms);
      setTimeout(() => original(rooms), 100);
    });
  },
  "join-leaves-the-others"() {
    replace(Socket, "join", function (original, rooms) {
      for (const room of this.rooms) if (room !== this.id) this.leave(room);
      return original(rooms);
    });
  },
  "leave-does-nothing"() {
    replace(Socket, "leave", () => undefined);
  },
  "leave-takes-everybody-along"() {
    replace(Socket, "leave", function (_, room) {
      for (const id of [...(this.adapter.rooms.get(room) ?? [])]) this.adapter.del(id, room);
    });
  },
  "own-room-is-empty"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      return [...this.rooms].some((room) => this.adapter.sids.has(room)) || original(...args);
    });
  },
  "rooms-gone-too-early"() {
    replace(Socket, "_onclose", function (original, ...args) {
      if (this.connected) this.leaveAll();
      return original(...args);
    });
  },
  "rooms-kept-at-the-end"() {
    replace(Socket, "_cleanup", function () {
      this.nsp._remove(this);
      this.nsp.sockets.set(this.id, this);
    });
  },

  // Namespaces
  "rooms-shared-by-namespaces"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      if (this.rooms.size === 0) return original(...args);
      return everywhere(this, args);
    });
  },
  "namespaces-not-apart"() {
    replace(BroadcastOperator, "emit", function (original, ...args) {
      if (this.rooms.size > 0) return original(...args);
      return everywhere(this, args);
    });
  },
  "any-namespace-is-dynamic"() {
    replace(Server, "of", (original, name, fn) => original(name instanceof RegExp ? /./ : name, fn));
  },
  "disconnect-ends-the-others"() {
    replace(Socket, "disconnect", (original) => original(true));
  },

  // Middlewares
  "middleware-data-lost"() {
    replace(Socket, "_error", (original, { message }) => original({ message }));
  },
  "middleware-message-lost"() {
    replace(Socket, "_error", (original, error) => original({ ...error, message: "error" }));
  },
  "middleware-not-asked"() {
    replace(Namespace, "run", (_, socket, next) => next());
  },
  "refused-but-inside"() {
    replace(Socket, "_cleanup", function (original) {
      if (this.connected) return original();
      this.join(this.id);
      this.nsp.sockets.set(this.id, this);
    });
  },

  // The handshake
  "auth-of-another"() {
    let other = { nobody: true };
    replace(Socket, "buildHandshake", (original, auth) => {
      const handshake = original(other);
      other = auth;
      return handshake;
    });
  },
  "auth-is-query"() {
    replace(Socket, "buildHandshake", (original, auth) => {
      const handshake = original(auth);
      return { ...handshake, auth: { ...handshake.query, ...auth } };
    });
  },
  "query-lost"() {
    replace(Socket, "buildHandshake", (original, auth) => ({ ...original(auth), query: {} }));
  },
  "headers-lost"() {
    replace(Socket, "buildHandshake", (original, auth) => ({ ...original(auth), headers: {} }));
  },

  // Acknowledgements
  "acknowledged-twice"() {
    replace(Socket, "ack", (original, id) => (...args) => {
      original(id)(...args);
      original(id)(...args);
    });
  },
  "acknowledged-at-every-call"() {
    replace(Socket, "ack", (original, id) => (...args) => original(id)(...args));
  },
  "acknowledged-with-one-argument"() {
    replace(Socket, "ack", (original, id) => (...args) => original(id)(...args.slice(0, 1)));
  },
  "acknowledged-without-data"() {
    replace(Socket, "ack", (original, id) => () => original(id)());
  },
  "acknowledged-with-one-list"() {
    replace(Socket, "ack", (original, id) => (...args) => original(id)(args));
  },
  "acknowledged-to-another"() {
    replace(Socket, "ack", (original, id) => original(id === 0 ? id : id + 1));
  },
  "answer-with-one-argument"() {
    replace(Socket, "onack", (original, packet) => original({ ...packet, data: packet.data.slice(0, 1) }));
  },
  "answer-of-any-namespace"() {
    replace(Socket, "onack", (original, packet) => original(packet));
    replace(Socket, "registerAckCallback", function (original, id, ack) {
      for (const [, { sockets }] of this.server._nsps) {
        for (const [, socket] of sockets) if (socket !== this) socket.acks.set(id, (...args) => this.onack({ id, data: args }));
      }
      return original(id, ack);
    });
  },
  "no-timeout"() {
    replace(Socket, "timeout", (original) => original(60_000));
    replace(BroadcastOperator, "timeout", (original) => original(60_000));
  },
  "timeout-is-no-error"() {
    replace(Socket, "registerAckCallback", (original, id, ack) => original(id, (_, ...args) => ack(null, ...args)));
    replaceAck(([, answers]) => [null, answers]);
  },
  "answers-of-a-broadcast-lost"() {
    replaceAck(([error]) => [error, []]);
  },
  "one-answer-of-a-broadcast"() {
    replaceAck(([error, answers]) => [error, answers?.slice(0, 1)]);
  },

  // Utility methods
  "sockets-unfiltered"() {
    for (const name of inBulk) {
      replace(BroadcastOperator, name, function (_, ...args) {
        const prototype = BroadcastOperator.prototype;
        return this.rooms.size || this.exceptRooms.size ? all(this)[name](...args) : originals[name].apply(this, args);
      });
    }
  },
  "sockets-join-does-nothing"() {
    replace(BroadcastOperator, "socketsJoin", () => undefined);
  },
  "sockets-leave-does-nothing"() {
    replace(BroadcastOperator, "socketsLeave", () => undefined);
  },
  "disconnect-sockets-does-nothing"() {
    replace(BroadcastOperator, "disconnectSockets", () => undefined);
  },
  "disconnect-sockets-always-closes"() {
    replace(BroadcastOperator, "disconnectSockets", (original) => original(true));
  },
  "disconnect-sockets-never-closes"() {
    replace(BroadcastOperator, "disconnectSockets", (original) => original(false));
  },

  // The socket
  "disconnect-does-nothing"() {
    replace(Socket, "disconnect", () => undefined);
  },
  "disconnect-never-closes"() {
    replace(Socket, "disconnect", (original) => original(false));
  },
  "disconnecting-told-twice"() {
    replace(Socket, "_onclose", function (original, ...args) {
      if (this.connected) this.emitReserved("disconnecting", ...args);
      return original(...args);
    });
  },
  "events-out-of-order"() {
    let last;
    replace(Socket, "dispatch", (original, event) => {
      // Every second one waits for the next, or for a moment if none comes.
      if (last) {
        const held = last;
        last = undefined;
        clearTimeout(held.timer);
        original(event);
        return held.release();
      }
      const release = () => original(event);
      const timer = setTimeout(() => {
        last = undefined;
        release();
      }, 5);
      last = { timer, release };
    });
  },
  "events-lost"() {
    let count = 0;
    replace(Socket, "dispatch", (original, event) => ++count % 20 === 0 || original(event));
  },
  "events-twice"() {
    replace(Socket, "dispatch", (original, event) => {
      original(event);
      if (typeof event.at(-1) !== "function") original(event);
    });
  },
  "bytes-become-json"() {
    const plain = (value) => (Buffer.isBuffer(value) ? value.toJSON() : value);
    replace(Socket, "emit", (original, event, ...args) => original(event, ...args.map(plain)));
    replace(BroadcastOperator, "emit", (original, event, ...args) => original(event, ...args.map(plain)));
  },

  // Heartbeat
  "pings-half-as-often"() {
    Object.assign(process.env, { PING_INTERVAL: "300", PING_TIMEOUT: "1000" });
    const server = createRequire(createRequire(import.meta.url).resolve("socket.io"));
    replace(server("engine.io").Socket, "schedulePing", function (original) {
      const { opts } = this.server;
      this.server.opts = { ...opts, pingInterval: opts.pingInterval * 2 };
      original();
      this.server.opts = opts;
    });
  },

  // Connection state recovery
  "never-recovered"() {
    replace(Namespace, "_createSocket", (original, client, auth) => original(client, { ...auth, pid: undefined }));
  },
  "recovered-without-what-was-missed"() {
    replace(Namespace, "_initAdapter", function (original) {
      original();
      const restore = this.adapter.restoreSession.bind(this.adapter);
      this.adapter.restoreSession = async (...args) => {
        const session = await restore(...args);
        return session && { ...session, missedPackets: [] };
      };
    });
  },
};

/** Emits in every namespace what was meant for the one of this operator. */
function everywhere(operator, args) {
  for (const { adapter } of operator.adapter.nsp.server._nsps.values()) {
    originals.emit.apply(new BroadcastOperator(adapter, operator.rooms, operator.exceptRooms, operator.flags), args);
  }
  return true;
}

/** What the callback of a broadcast with acknowledgements is called with. */
function replaceAck(change) {
  replace(BroadcastOperator, "emit", (original, ...args) => {
    const ack = args.at(-1);
    if (typeof ack === "function") args[args.length - 1] = (...heard) => ack(...change(heard));
    return original(...args);
  });
}

const originals = Object.fromEntries(
  ["emit", ...inBulk].map((name) => [name, BroadcastOperator.prototype[name]]),
);

const name = process.env.BREAK;
if (name && !breakages[name]) {
  console.error(`BREAK is none of ${Object.keys(breakages).join(", ")}: ${name}`);
  process.exit(2);
}
if (name) breakages[name]();
await import("./fixture.js");
