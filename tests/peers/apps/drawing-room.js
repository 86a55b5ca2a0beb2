// Rooms to draw in. Who joins is answered by an event, with all that was drawn there before.
//
//   join { room, name }   →  joined { room, people, strokes } to whoever joins, arrived { room, name } to the others there
//   leave { room }        →  left { room } to whoever leaves, gone { room, name } to those who stay
//   stroke { room, line } →  stroke { room, name, line } to the others in the room; dropped if the sender is not there
//   clear { room }        →  cleared { room } to everybody in the room; the history is empty then
//
// BREAK: ignored     who joins is told so, and is not in the room
//        astray      one stroke in eleven goes to another room
//        lingering   who leaves is told so, and is still in the room
//        blank       the history that a late joiner gets lacks its latest stroke
import { createServer } from "node:http";
import { Server } from "socket.io";
import { breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("ignored", "astray", "lingering", "blank");
const unlucky = oneInEleven();

const httpServer = createServer();
const io = new Server(httpServer);
const drawings = new Map();

function drawing(room) {
  if (!drawings.has(room)) drawings.set(room, []);
  return drawings.get(room);
}

io.on("connection", (socket) => {
  const names = new Map();

  socket.on("join", async ({ room, name }) => {
    names.set(room, name);
    if (!broken("ignored")) await socket.join(room);
    const people = (await io.in(room).fetchSockets()).length;
    const strokes = drawing(room).slice(0, broken("blank") ? -1 : undefined);
    socket.emit("joined", { room, people, strokes });
    socket.to(room).emit("arrived", { room, name });
  });

  socket.on("leave", async ({ room }) => {
    const name = names.get(room);
    if (!broken("lingering")) await socket.leave(room);
    names.delete(room);
    socket.emit("left", { room });
    socket.to(room).emit("gone", { room, name });
  });

  socket.on("stroke", ({ room, line }) => {
    if (!names.has(room)) return;
    const stroke = { room, name: names.get(room), line };
    drawing(room).push(stroke);
    const other = [...drawings.keys()].find((name) => name !== room);
    const astray = broken("astray") && other !== undefined && unlucky();
    socket.to(astray ? other : room).emit("stroke", stroke);
  });

  socket.on("clear", ({ room }) => {
    drawings.set(room, []);
    io.in(room).emit("cleared", { room });
  });
});

listen(httpServer);
