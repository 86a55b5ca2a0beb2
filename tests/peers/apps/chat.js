// A public chat: one room for all, nothing is acknowledged.
//
//   add user      name   →  login { numUsers } to the new user, user joined { username, numUsers } to the others
//   new message   text   →  new message { username, message } to the others
//   typing, stop typing  →  the same { username } to the others
//   (a user disconnects) →  user left { username, numUsers } to the others
//
// BREAK: lost      one message in eleven does not reach one of the others
//        doubled   one message in eleven reaches one of the others twice
//        echoed    who writes a message receives it, too
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "doubled", "echoed");
const emitBadly = badly();

const httpServer = createServer();
const io = new Server(httpServer);
let numUsers = 0;

io.on("connection", (socket) => {
  let username;

  socket.on("add user", (name) => {
    if (username !== undefined) return;
    username = name;
    numUsers += 1;
    socket.emit("login", { numUsers });
    socket.broadcast.emit("user joined", { username, numUsers });
  });

  socket.on("new message", (message) => {
    const said = { username, message };
    if (broken("lost")) return emitBadly("lost", socket.broadcast, "new message", said);
    if (broken("doubled")) return emitBadly("doubled", socket.broadcast, "new message", said);
    if (broken("echoed")) return io.emit("new message", said);
    socket.broadcast.emit("new message", said);
  });

  for (const event of ["typing", "stop typing"]) {
    socket.on(event, () => socket.broadcast.emit(event, { username }));
  }

  socket.on("disconnect", () => {
    if (username === undefined) return;
    numUsers -= 1;
    socket.broadcast.emit("user left", { username, numUsers });
  });
});

listen(httpServer);
