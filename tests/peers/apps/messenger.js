// Private messages. Who connects says a name, or the id of an earlier session to be the same user again. The server puts
// each connection into a room named by the id of its user; two windows of one user are in the same room.
//
//   connect { username } or { sessionID }   →  session { sessionID, userID }, users [{ userID, username, connected }]
//                                              user connected { userID, username } to the other users
//                                              refused: "invalid username" without either
//   private message { content, to: userID } →  private message { content, from, to } to the room of `to`
//                                              and to the other windows of the sender
//   (the last window of a user closes)      →  user disconnected userID to the others
//
// BREAK: astray      one message in eleven goes to somebody else instead
//        public      a message goes to all users
//        stranger    who comes back with a session id becomes a new user
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { breakages, listen, oneInEleven, page } from "./common.js";

const broken = breakages("astray", "public", "stranger");
const unlucky = oneInEleven();
const randomId = () => randomBytes(8).toString("hex");

const httpServer = createServer(page("messenger"));
const io = new Server(httpServer);
const sessions = new Map();

io.use((socket, next) => {
  const { sessionID, username } = socket.handshake.auth;
  const session = sessions.get(sessionID);
  if (session !== undefined && !broken("stranger")) {
    Object.assign(socket.data, { sessionID, ...session });
    return next();
  }
  if (!username && session === undefined) return next(new Error("invalid username"));
  Object.assign(socket.data, {
    sessionID: randomId(),
    userID: randomId(),
    username: username ?? session.username,
  });
  next();
});

io.on("connection", (socket) => {
  const { sessionID, userID, username } = socket.data;
  sessions.set(sessionID, { userID, username, connected: true });
  socket.emit("session", { sessionID, userID });
  socket.join(userID);
  socket.emit("users", [...sessions.values()]);
  socket.broadcast.emit("user connected", { userID, username });

  socket.on("private message", ({ content, to }) => {
    const message = { content, from: userID, to };
    if (broken("public")) return socket.broadcast.emit("private message", message);
    if (broken("astray") && unlucky()) {
      const other = [...sessions.values()].find((user) => user.userID !== to && user.userID !== userID);
      return io.to(other.userID).emit("private message", message);
    }
    socket.to(to).to(userID).emit("private message", message);
  });

  socket.on("disconnect", async () => {
    const windows = await io.in(userID).fetchSockets();
    if (windows.length > 0) return;
    sessions.set(sessionID, { userID, username, connected: false });
    socket.broadcast.emit("user disconnected", userID);
  });
});

listen(httpServer);
