// The fixture contract on the official server of Socket.IO 2, which speaks Engine.IO 3 and Socket.IO protocol 4. What this
// release has no call for (leaving out rooms, acknowledgements of many, moving the sockets of others) is done here, by hand.
//
// Settings come from the environment, as for the other fixtures: see ../README.md.
const http = require("http");
const hasBinary = require("has-binary2");
const { EVENT, BINARY_EVENT } = require("socket.io-parser");

const number = (name, otherwise) => Number(process.env[name] || otherwise);

const httpServer = http.createServer((_, response) => response.writeHead(404).end());
const io = require("socket.io")(httpServer, {
  pingInterval: number("PING_INTERVAL", 300),
  pingTimeout: number("PING_TIMEOUT", 200),
  upgradeTimeout: number("UPGRADE_TIMEOUT", 1000),
  maxHttpBufferSize: number("MAX_HTTP_BUFFER_SIZE", 1e6),
});

const setUp = (socket) => {
  officialContract(socket);
  rooms(socket);
  broadcasting(socket);
  acknowledgements(socket);
  lifecycle(socket);
};

io.on("connection", setUp);
io.of("/custom").on("connection", setUp);
io.of(/^\/dyn-\d+$/).on("connection", setUp);
io.of("/guard")
  .use((socket, next) => {
    if (auth(socket).token === "ok") return next();
    next(Object.assign(new Error("nope"), { data: { message: "nope", data: { code: 7 } } }));
  })
  .on("connection", setUp);

// Credentials come in the query, beside what Engine.IO has there.
function auth(socket) {
  const { EIO, transport, t, sid, b64, j, ...rest } = socket.handshake.query;
  return rest;
}

function officialContract(socket) {
  socket.emit("auth", auth(socket));
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => {
    const ack = args.pop();
    if (typeof ack === "function") ack(...args);
  });
}

// Each event of the extension takes an acknowledgement as its last argument.
function on(socket, event, handler) {
  socket.on(event, (...args) => {
    const ack = typeof args[args.length - 1] === "function" ? args.pop() : () => {};
    args.length = handler.length - 1; // those that are missing are undefined
    try {
      handler(...args, ack);
    } catch {
      // Not the server's fault: it goes on.
    }
  });
}

function rooms(socket) {
  on(socket, "t:join", (rooms, ack) => {
    if (rooms.length === 0) return ack(Object.keys(socket.rooms));
    socket.join(rooms, () => ack(Object.keys(socket.rooms)));
  });
  on(socket, "t:leave", (room, ack) => socket.leave(room, () => ack(Object.keys(socket.rooms))));
}

/** The ids of the sockets in these rooms. */
function idsIn({ adapter }, rooms) {
  return rooms.flatMap((room) => Object.keys(adapter.rooms[room]?.sockets ?? {}));
}

/** The sockets that a target means. */
function socketsOf(socket, { from, to = [], except = [] }) {
  const { nsp } = socket;
  const left = new Set([...idsIn(nsp, except), ...(from === "io" ? [] : [socket.id])]);
  const ids = to.length > 0 ? new Set(idsIn(nsp, to)) : Object.keys(nsp.connected);
  return [...ids].filter((id) => !left.has(id)).flatMap((id) => nsp.connected[id] ?? []);
}

function broadcasting(socket) {
  const { nsp } = socket;
  const inBulk = {
    join: (other, room) => other.join(room),
    leave: (other, room) => other.leave(room),
    disconnect: (other, close) => other.disconnect(close),
  };

  on(socket, "t:cast", ({ from, to = [], except = [], flags = [] }, event, args, ack) => {
    const data = [event, ...args];
    const left = [...idsIn(nsp, except), ...(from === "io" ? [] : [socket.id])];
    const named = Object.fromEntries(flags.map((flag) => [flag, true]));
    const packet = { type: hasBinary(data) ? BINARY_EVENT : EVENT, data };
    nsp.adapter.broadcast(packet, { except: left, rooms: to, flags: named });
    ack();
  });
  on(socket, "t:cast-ack", (target, ms, event, args, ack) => {
    const asked = socketsOf(socket, target);
    const answers = [];
    let done = false;
    const end = (timedOut) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      ack(timedOut, answers);
    };
    const timer = setTimeout(() => end(true), ms);
    if (asked.length === 0) return end(false);
    for (const other of asked) {
      other.emit(event, ...args, (answer) => {
        answers.push(answer);
        if (answers.length === asked.length) end(false);
      });
    }
  });
  on(socket, "t:sockets", (target, what, argument, ack) => {
    socketsOf(socket, { ...target, from: "io" }).forEach((other) => inBulk[what](other, argument));
    ack();
  });
  on(socket, "t:burst", (count, everyMs, binary, ack) => {
    let i = 0;
    const timer = setInterval(() => {
      if (i === count) {
        clearInterval(timer);
        return ack();
      }
      if (binary && i % 2) socket.emit("n", i, Buffer.from([i & 255]));
      else socket.emit("n", i);
      i++;
    }, everyMs);
  });
}

function acknowledgements(socket) {
  on(socket, "t:ask", (ms, event, args, ack) => {
    let done = false;
    const end = (...outcome) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      ack(...outcome);
    };
    const timer = setTimeout(() => end(true), ms);
    socket.emit(event, ...args, (...answer) => end(false, ...answer));
  });
  on(socket, "t:ack-twice", (ack) => {
    ack(1);
    ack(2);
  });
}

function lifecycle(socket) {
  const { handshake } = socket;

  on(socket, "t:who", (ack) => {
    ack({
      id: socket.id,
      nsp: socket.nsp.name,
      auth: auth(socket),
      query: handshake.query,
      headers: handshake.headers,
      recovered: false,
      transport: socket.conn.transport.name,
    });
  });
  on(socket, "t:bye", (close, ack) => {
    ack();
    socket.disconnect(close);
  });
  // Who wants to know joins the room "watch" of the main namespace.
  socket.on("disconnecting", (reason) => {
    io.to("watch").emit("gone", socket.id, socket.nsp.name, reason, Object.keys(socket.rooms));
  });
}

httpServer.listen(number("PORT", 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${httpServer.address().port}/socket.io/`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
if (process.env.EXIT_WITH_STDIN === "1") process.stdin.resume().on("end", () => process.exit(0));
