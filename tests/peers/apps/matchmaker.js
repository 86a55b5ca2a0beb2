// Pairs of players. Who wants to play waits in a queue; two of them get a room that the server names, and leave the one before.
//
//   queue                    →  matched { room, opponent } to both
//   move      text           →  move { from, text } to the opponent
//
// BREAK: lost      one move in eleven is lost
//        astray    one move in eleven goes to somebody else instead
//        public    a move reaches everybody
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("lost", "astray", "public");
const emitBadly = badly();
const unlucky = oneInEleven();

const httpServer = createServer();
const io = new Server(httpServer);
let waiting;

function match(players) {
  const room = `match:${randomUUID()}`;
  players.forEach((player, index) => {
    if (player.data.room !== undefined) player.leave(player.data.room);
    player.data.room = room;
    player.join(room);
    player.emit("matched", { room, opponent: players[1 - index].id });
  });
}

io.on("connection", (socket) => {
  socket.on("queue", () => {
    if (waiting?.connected && waiting !== socket) {
      match([waiting, socket]);
      waiting = undefined;
    } else {
      waiting = socket;
    }
  });

  socket.on("move", (text) => {
    const move = { from: socket.id, text };
    const { room } = socket.data;
    if (broken("astray") && unlucky()) {
      return [...io.sockets.sockets.values()].find((other) => !other.rooms.has(room)).emit("move", move);
    }
    const others = broken("public") ? socket.broadcast : socket.to(room);
    if (broken("lost")) return emitBadly("lost", others, "move", move);
    others.emit("move", move);
  });
});

listen(httpServer);
