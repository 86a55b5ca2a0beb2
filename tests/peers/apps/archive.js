// A chat with an archive: whoever joins a room is shown what was said in it before, by the same event.
//
//   join      room            →  acknowledged; then message { room, text } for each of the last hundred
//   leave     room            →  acknowledged
//   message   { room, text }  →  message { room, text } to the others in the room; acknowledged with the message
//
// BREAK: lost      one message in eleven does not reach one of the members
//        doubled   one message in eleven reaches one of the members twice
//        public    a message reaches everybody, whatever the room
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "doubled", "public");
const emitBadly = badly();

const httpServer = createServer();
const io = new Server(httpServer);
const archive = new Map();

io.on("connection", (socket) => {
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
    // Read from a store: what is said meanwhile is heard first.
    setImmediate(() => archive.get(room)?.slice(-100).forEach((message) => socket.emit("message", message)));
  });

  socket.on("leave", (room, done) => {
    socket.leave(room);
    done();
  });

  socket.on("message", (message, done) => {
    if (!archive.has(message.room)) archive.set(message.room, []);
    archive.get(message.room).push(message);
    done(message);
    const others = socket.to(message.room);
    if (broken("lost")) return emitBadly("lost", others, "message", message);
    if (broken("doubled")) return emitBadly("doubled", others, "message", message);
    if (broken("public")) return socket.broadcast.emit("message", message);
    others.emit("message", message);
  });
});

listen(httpServer);
