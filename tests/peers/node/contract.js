// The fixture contract with the API of the official server: every fixture on a server with that API shares it, whatever its
// version and the engine beneath. A release that lacks an operation never acknowledges the event that asks for it.

/** Short times, so that heartbeats and timeouts can be watched within seconds. */
export const timings = { pingInterval: 300, pingTimeout: 200, connectTimeout: 1000, upgradeTimeout: 1000 };

/** Adds the contract to a `Server`. */
export function addContract(io) {
  const onConnection = (socket) => setUp(io, socket);

  io.on("connection", onConnection);
  io.of("/custom").on("connection", onConnection);
  io.of(/^\/dyn-\d+$/).on("connection", onConnection);
  io.of("/guard").use(guard).on("connection", onConnection);
}

export function guard(socket, next) {
  if (auth(socket).token === "ok") return next();
  // Clients of Socket.IO 2 are told the data alone, so it has to say everything.
  const data = isOld(socket) ? { message: "nope", data: { code: 7 } } : { code: 7 };
  next(Object.assign(new Error("nope"), { data }));
}

function isOld(socket) {
  return socket.conn.protocol === 3;
}

/** Clients of Socket.IO 2 have their credentials in the query, beside what Engine.IO has there. */
function auth({ conn, handshake }) {
  if (conn.protocol !== 3) return handshake.auth;
  const { EIO, transport, t, sid, b64, j, ...rest } = handshake.query;
  return { ...rest, ...handshake.auth };
}

export function setUp(io, socket) {
  officialContract(socket);
  rooms(socket);
  broadcasting(socket);
  acknowledgements(socket);
  lifecycle(io, socket);
}

// What the official protocol suites ask of their server.
function officialContract(socket) {
  socket.emit("auth", auth(socket));
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => {
    const ack = args.pop();
    if (typeof ack === "function") ack(...args);
  });
}

// From here on it is the extension of sockrates: each event takes an acknowledgement as its last argument. Whoever
// leaves it out, or sends other arguments than these, harms nobody but itself.
function on(socket, event, handler) {
  socket.on(event, async (...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    args.length = handler.length - 1; // those that are missing are undefined
    try {
      await handler(...args, ack);
    } catch {
      // Not the server's fault: it goes on.
    }
  });
}

function rooms(socket) {
  on(socket, "t:join", async (rooms, ack) => {
    await socket.join(rooms);
    ack([...socket.rooms]);
  });
  on(socket, "t:leave", async (room, ack) => {
    await socket.leave(room);
    ack([...socket.rooms]);
  });
}

/** From `{ from: "io" | "socket", to: [room], except: [room], flags: [name] }` to the operator that it describes. */
function operator(socket, { from, to = [], except = [], flags = [] }) {
  let operator = from === "io" ? socket.nsp : socket.broadcast;
  for (const room of to) operator = operator.to(room);
  for (const room of except) operator = operator.except(room);
  for (const flag of flags) operator = flag === "compress" ? operator.compress(true) : operator[flag];
  return operator;
}

function broadcasting(socket) {
  const inBulk = { join: "socketsJoin", leave: "socketsLeave", disconnect: "disconnectSockets" };

  on(socket, "t:cast", (target, event, args, ack) => {
    operator(socket, target).emit(event, ...args);
    ack();
  });
  on(socket, "t:cast-ack", (target, ms, event, args, ack) => {
    operator(socket, target).timeout(ms).emit(event, ...args, (error, answers) => ack(Boolean(error), answers));
  });
  on(socket, "t:sockets", async (target, what, argument, ack) => {
    const sockets = operator(socket, { ...target, from: "io" });
    if (what === "list") return ack((await sockets.fetchSockets()).map(({ id }) => id));
    sockets[inBulk[what]](argument);
    ack();
  });
  // "n" with 0 to count - 1, every second one with an attachment when `binary`.
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
    socket.timeout(ms).emit(event, ...args, (error, ...answer) => ack(Boolean(error), ...answer));
  });
  on(socket, "t:ack-twice", (ack) => {
    ack(1);
    ack(2);
  });
}

function lifecycle(io, socket) {
  const { handshake } = socket;

  on(socket, "t:who", (ack) => {
    ack({
      id: socket.id,
      nsp: socket.nsp.name,
      auth: auth(socket),
      query: handshake.query,
      headers: handshake.headers,
      recovered: Boolean(socket.recovered),
      transport: socket.conn.transport.name,
      node: process.env.NODE, // absent where it is not one of several
    });
  });
  on(socket, "t:bye", (close, ack) => {
    ack();
    socket.disconnect(close);
  });
  // Who wants to know joins the room "watch" of the main namespace.
  socket.on("disconnecting", (reason) => {
    io.to("watch").emit("gone", socket.id, socket.nsp.name, reason, [...socket.rooms]);
  });
}
