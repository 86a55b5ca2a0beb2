// Teams that talk among themselves and bid against each other. The team of a user stands in the handshake; the server
// alone knows the rooms, and no event names one.
//
//   say    text, callback    →  said { from, text } to the others of the team; the callback gets an error, or null
//   bid    amount, callback  →  the callback gets an error as a text, or null and { amount }
//
// BREAK: public    what is said in a team reaches all
//        astray    what is said in a team reaches another team
//        greedy    every bid is taken
import { createServer } from "node:http";
import { Server } from "socket.io";
import { breakages, listen } from "./common.js";

const broken = breakages("public", "astray", "greedy");

const httpServer = createServer();
const io = new Server(httpServer);
let highest = 0;

io.on("connection", (socket) => {
  const { team, name } = socket.handshake.auth;
  socket.join(`members of ${team}`);

  socket.on("say", (text, callback) => {
    const room = broken("astray") ? "members of blue" : `members of ${team}`;
    const others = broken("public") ? socket.broadcast : socket.to(room);
    others.emit("said", { from: name, text });
    callback(null);
  });

  socket.on("bid", (amount, callback) => {
    if (amount <= highest && !broken("greedy")) return callback("too low");
    highest = amount;
    callback(null, { amount });
  });
});

listen(httpServer);
