// A document that several people edit: each change is bytes, and goes as it is to all others who have the document open.
//
//   open     document          →  joins it;  sync  bytes   all changes so far, behind one another
//   update   document, bytes   →  update  bytes   to the others who have it open
//
// BREAK: lost      one change in eleven does not reach one of the others
//        doubled   one change in eleven reaches one of the others twice
//        swapped   one change in eleven reaches one of the others after the sender's next one
//        echoed    the change comes back to whoever made it
//        public    the change reaches those who have another document open, too
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "doubled", "swapped", "echoed", "public");

const httpServer = createServer();
const io = new Server(httpServer);
const documents = new Map();

io.on("connection", (socket) => {
  // One for each sender: nobody promises the order of what different senders say.
  const emitBadly = badly();
  socket.on("open", (name) => {
    if (!documents.has(name)) documents.set(name, []);
    socket.join(name);
    socket.emit("sync", Buffer.concat(documents.get(name)));
  });
  socket.on("update", (name, change) => {
    if (!socket.rooms.has(name) || !Buffer.isBuffer(change)) return;
    documents.get(name).push(change);
    const others = socket.to(name);
    for (const way of ["lost", "doubled", "swapped"]) if (broken(way)) return emitBadly(way, others, "update", change);
    if (broken("echoed")) return io.to(name).emit("update", change);
    if (broken("public")) return socket.broadcast.emit("update", change);
    others.emit("update", change);
  });
});

listen(httpServer);
