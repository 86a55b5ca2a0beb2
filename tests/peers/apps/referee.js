// A referee watches from / what the players of /play are to do: what is sent in one namespace is heard in another. Nothing is
// acknowledged, and no text of a message is free: a move is told by its number.
//
//   whistle { move, x, y }   in /   →  the same as `move` to everybody in /play
//
// BREAK: lost      one move in eleven does not reach one of the players
//        doubled   one move in eleven reaches one of the players twice
//        here      the moves are heard in /
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen } from "./common.js";

const broken = breakages("lost", "doubled", "here");
const emitBadly = badly();

const httpServer = createServer();
const io = new Server(httpServer);
const players = io.of("/play");

io.on("connection", (socket) => {
  socket.on("whistle", (move) => {
    if (broken("lost")) return emitBadly("lost", players, "move", move);
    if (broken("doubled")) return emitBadly("doubled", players, "move", move);
    (broken("here") ? io : players).emit("move", move);
  });
});

listen(httpServer);
