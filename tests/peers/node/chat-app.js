// A chat as people write it, with event names of its own. It has never heard of our fixture: sockrates talks to
// it through the `contract` of a scenario.
//
//   enter         { room, nick }    ack { room, people: [nick] }
//   exit          { room }          ack { room }
//   who           { room }          ack { room, people: [nick] }
//   chat message  { room, text }    ack { delivered: true }; the others in the room hear { room, nick, text }
//
// A request that cannot be met is acknowledged with { error }. The namespaces / and /lounge are two separate houses.
import { serve } from "./serve.js";

serve({}, (io) => {
  for (const house of [io.of("/"), io.of("/lounge")]) {
    house.on("connection", (socket) => welcome(house, socket));
  }
});

function welcome(house, socket) {
  const people = async (room) => (await house.in(room).fetchSockets()).map((member) => member.data.nick);

  socket.on("enter", async ({ room, nick }, ack) => {
    if (!room || !nick) return ack({ error: "a room and a nick, please" });
    socket.data.nick = nick;
    await socket.join(room);
    ack({ room, people: await people(room) });
  });

  socket.on("exit", async ({ room }, ack) => {
    await socket.leave(room);
    ack({ room });
  });

  socket.on("who", async ({ room }, ack) => {
    ack({ room, people: await people(room) });
  });

  socket.on("chat message", ({ room, text }, ack) => {
    if (!socket.rooms.has(room)) return ack({ error: `you are not in ${room}` });
    socket.to(room).emit("chat message", { room, nick: socket.data.nick, text });
    ack({ delivered: true });
  });
}
