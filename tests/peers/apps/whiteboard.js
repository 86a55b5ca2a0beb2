// A whiteboard: every stroke of a pen goes to all others, as it is. Nothing is acknowledged, nobody is greeted.
//
//   drawing   { x0, y0, x1, y1, color }  →  the same to the others
//
// BREAK: lost      one stroke in eleven does not reach one of the others
//        swapped   one stroke in eleven reaches one of the others after the sender's next one
//        echoed    the stroke comes back to whoever drew it
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen, page } from "./common.js";

const broken = breakages("lost", "swapped", "echoed");

const httpServer = createServer(page("whiteboard"));
const io = new Server(httpServer);

io.on("connection", (socket) => {
  // One for each sender: nobody promises the order of what different senders say.
  const emitBadly = badly();
  socket.on("drawing", (stroke) => {
    if (broken("lost")) return emitBadly("lost", socket.broadcast, "drawing", stroke);
    if (broken("swapped")) return emitBadly("swapped", socket.broadcast, "drawing", stroke);
    if (broken("echoed")) return io.emit("drawing", stroke);
    socket.broadcast.emit("drawing", stroke);
  });
});

listen(httpServer);
