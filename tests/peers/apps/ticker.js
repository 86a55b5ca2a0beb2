// A ticker: what is said is collected, and sent to the members of a room twenty times a second, all in one event.
//
//   watch   room            →  watching { room }
//   quote   { room, text }  →  quotes [{ room, text }, …] to the members of the room, within 50 ms
//
// BREAK: lost      one quote in eleven is in nobody's list
//        doubled   one quote in eleven is in the next list, too
//        swapped   one list in eleven is in another order
import { createServer } from "node:http";
import { Server } from "socket.io";
import { breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("lost", "doubled", "swapped");
const unlucky = oneInEleven();

const httpServer = createServer();
const io = new Server(httpServer);
let collected = new Map();
let again = [];

io.on("connection", (socket) => {
  socket.on("watch", (room) => {
    socket.join(room);
    socket.emit("watching", { room });
  });

  socket.on("quote", (quote) => {
    if (broken("lost") && unlucky()) return;
    if (!collected.has(quote.room)) collected.set(quote.room, []);
    collected.get(quote.room).push(quote);
    if (broken("doubled") && unlucky()) again.push(quote);
  });
});

setInterval(() => {
  const before = collected;
  collected = new Map();
  for (const [room, quotes] of before) {
    io.to(room).emit("quotes", broken("swapped") ? quotes.toReversed() : quotes);
    const twice = again.filter((quote) => quote.room === room);
    if (twice.length > 0) collected.set(room, twice);
  }
  again = [];
}, 50);

listen(httpServer);
