// An application without the fixture that answers every event, known or not, with the same: with ANSWER, which is JSON, or with
// what the event says.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { listen } from "./common.js";

const httpServer = createServer();
const io = new Server(httpServer);

io.on("connection", (socket) => {
  socket.onAny((_, ...args) => {
    const ack = args.pop();
    if (typeof ack === "function") ack(...(process.env.ANSWER ? JSON.parse(process.env.ANSWER) : args));
  });
});

listen(httpServer);
