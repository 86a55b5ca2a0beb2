// A guild hall that looks each client up in a database before it registers its handlers: what a client sends meanwhile is lost.
//
//                    →  welcome { name, motd } to whoever connects, when it is known who that is
//   enter room, ack   →  ack "in", and the client is in the room
//   quit room, ack    →  ack "out", and it is there no longer
//   say room, text    →  said { room, text } to the others in the room
//
// BREAK: hushed      nobody is welcomed
//        echoed      who says something hears it, too
//        lingering   who quits is told so, and is still in the room
//        sluggish    it is ready at once, and takes its time for what a client asks first
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "socket.io";
import { breakages, listen } from "./common.js";

const broken = breakages("hushed", "echoed", "lingering", "sluggish");
const httpServer = createServer();
const io = new Server(httpServer);

/** What a database would answer. */
async function lookUp(id) {
  await sleep(300);
  return { name: `member-${id}` };
}

io.on("connection", async (socket) => {
  const { name } = broken("sluggish") ? { name: "stranger" } : await lookUp(socket.id);
  let asksFirst = broken("sluggish");

  socket.on("enter", async (room, ack) => {
    if (asksFirst) await sleep(2_500);
    asksFirst = false;
    await socket.join(room);
    ack("in");
  });

  socket.on("quit", async (room, ack) => {
    if (!broken("lingering")) await socket.leave(room);
    ack("out");
  });

  socket.on("say", (room, text) => {
    (broken("echoed") ? io.to(room) : socket.to(room)).emit("said", { room, text });
  });

  if (!broken("hushed")) socket.emit("welcome", { name, motd: "Mind the dragon." });
});

listen(httpServer);
