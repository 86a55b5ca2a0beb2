// A game on a grid. The server tells everybody the state of the world twenty times a second; a move is answered by an
// event, and the others see it as a position. What is late here is worthless: state and positions are volatile.
//
//   enter { name }         →  welcome { id, size } to whoever enters, entered { name } to the others
//   move { dx, dy, seq }   →  moved { x, y, seq } to whoever moves, position { name, x, y, seq } to the others
//                             rejected { seq, reason } if the move leads out of the grid
//   shout { text }         →  shouted { name, text } to everybody who has entered, also to the sender
//   (every 50 ms)          →  state { tick, players: [{ name, x, y }] } to everybody
//
// BREAK: unanswered   one move in eleven is not answered
//        drunk        one move in eleven ends where it should not
//        repeated     one shout in eleven is heard twice by one player
//        frozen       the state is told for half a second, then no more
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("unanswered", "drunk", "repeated", "frozen");
const emitBadly = badly();
const unlucky = oneInEleven();
const size = 1000;

const httpServer = createServer();
const io = new Server(httpServer);
const players = new Map();

io.on("connection", (socket) => {
  socket.on("enter", async ({ name }) => {
    players.set(socket.id, { name, x: 0, y: 0 });
    await socket.join("world");
    socket.emit("welcome", { id: socket.id, size });
    socket.to("world").emit("entered", { name });
  });

  socket.on("move", ({ dx, dy, seq }) => {
    const player = players.get(socket.id);
    if (player === undefined) return socket.emit("rejected", { seq, reason: "enter first" });
    const [x, y] = [player.x + dx, player.y + dy];
    const inside = [x, y].every((place) => place >= 0 && place < size);
    if (!inside) return socket.emit("rejected", { seq, reason: "out of the grid" });
    Object.assign(player, { x, y });
    if (broken("drunk") && unlucky()) player.x += 1;
    if (!(broken("unanswered") && unlucky())) socket.emit("moved", { x: player.x, y: player.y, seq });
    socket.volatile.to("world").emit("position", { ...player, seq });
  });

  socket.on("shout", ({ text }) => {
    const player = players.get(socket.id);
    if (player === undefined) return;
    const shouted = { name: player.name, text };
    if (broken("repeated")) return emitBadly("doubled", io.to("world"), "shouted", shouted);
    io.to("world").emit("shouted", shouted);
  });

  socket.on("disconnect", () => players.delete(socket.id));
});

let tick = 0;
setInterval(() => {
  tick += 1;
  if (broken("frozen") && tick > 10) return;
  io.volatile.emit("state", { tick, players: [...players.values()] });
}, 50);

listen(httpServer);
