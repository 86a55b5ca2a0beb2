// Messages to one person. Who connects says who it is, and is in a room of that name: in `auth`, or by the event `register`.
//
//   connect { username }   or   register name
//   private { to, text }   →  private { from, text } to the connections of `to`
//
// BREAK: lost     every second message is lost
//        doubled  every second message comes twice
//        public   a message goes to all others
import { createServer } from "node:http";
import { Server } from "socket.io";
import { breakages, listen } from "./common.js";

const broken = breakages("lost", "doubled", "public");
let messages = 0;

const httpServer = createServer();
const io = new Server(httpServer);
io.on("connection", (socket) => {
  const become = (name) => {
    socket.data.name = name;
    socket.join(name);
  };
  if (socket.handshake.auth.username) become(socket.handshake.auth.username);
  socket.on("register", become);
  socket.on("private", ({ to, text }) => {
    const message = { from: socket.data.name, text };
    const isUnlucky = ++messages % 2 === 0;
    if (broken("public")) return socket.broadcast.emit("private", message);
    if (broken("lost") && isUnlucky) return;
    io.to(to).emit("private", message);
    if (broken("doubled") && isUnlucky) io.to(to).emit("private", message);
  });
});

listen(httpServer);
