// Clients of socket.io-client that exchange messages: node client.js URL CLIENTS ROUNDS PACE_IN_MS
//
// Each emits an event that the server acknowledges, so many times, the next one as soon as the answer is there, or at
// its own beat if there is a pace. Ends when all are done, with the number of acknowledgements on standard output.
import { io } from "socket.io-client";

const [url, clients, rounds, pace] = [process.argv[2], ...process.argv.slice(3).map(Number)];

const connect = () =>
  new Promise((done, failed) => {
    const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false });
    socket.on("connect", () => done(socket));
    socket.on("connect_error", failed);
  });

const exchange = (socket) => new Promise((done) => socket.emit("message-with-ack", "hello", done));
const pause = (time) => new Promise((done) => setTimeout(done, time));

const sockets = [];
while (sockets.length < clients) {
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, clients - sockets.length) }, connect))));
}

let acks = 0;
const play = async (socket) => {
  let due = performance.now() + Math.random() * pace;
  for (let round = 0; round < rounds; round += 1) {
    if (pace > 0) {
      await pause(due - performance.now());
      due += pace;
    }
    await exchange(socket);
    acks += 1;
  }
};
await Promise.all(sockets.map(play));
sockets.forEach((socket) => socket.disconnect());
console.log(acks);
