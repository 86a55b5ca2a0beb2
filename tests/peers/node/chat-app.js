// A chat as people write it, with event names of its own. It has never heard of our fixture: sockrates talks to
// it through the `contract` of a scenario.
//
//   enter         { room, nick, greeting }   ack { room, people: [nick] }; the others there hear joined { room, nick, greeting }
//   exit          { room, farewell }         ack { room }; those who stay hear left { room, nick, farewell }
//   who           { room }                   ack { room, people: [nick] }
//   chat message  { room, text }             ack { delivered: true }; the others in the room hear { room, nick, text }
//
// Without a greeting or a farewell nobody is told. Who enters where he is already is not told of again. A request that
// cannot be met is acknowledged with { error }. The namespaces / and /lounge are two separate houses.
//
//   STRANGERS=ignored  takes a message to a room in which its sender is not, and passes it on to nobody, without an error
//   TELLS    who hears who comes and goes: others (the right way), or, broken: nobody, twice, everyone, house
import { serve } from "./serve.js";

serve({}, (io) => {
  for (const house of [io.of("/"), io.of("/lounge")]) {
    house.on("connection", (socket) => welcome(house, socket));
  }
});

function welcome(house, socket) {
  const people = async (room) => (await house.in(room).fetchSockets()).map((member) => member.data.nick);

  const tell = (room, event, told) => {
    const ways = {
      others: [socket.to(room)],
      nobody: [],
      twice: [socket.to(room), socket.to(room)],
      everyone: [socket.to(room), socket],
      house: [socket.broadcast],
    };
    ways[process.env.TELLS ?? "others"].forEach((way) => way.emit(event, { room, nick: socket.data.nick, ...told }));
  };

  socket.on("enter", async ({ room, nick, greeting }, ack) => {
    if (!room || !nick) return ack({ error: "a room and a nick, please" });
    const isNew = !socket.rooms.has(room);
    socket.data.nick = nick;
    await socket.join(room);
    if (isNew && greeting) tell(room, "joined", { greeting });
    ack({ room, people: await people(room) });
  });

  socket.on("exit", async ({ room, farewell }, ack) => {
    const wasThere = socket.rooms.has(room);
    await socket.leave(room);
    if (wasThere && farewell) tell(room, "left", { farewell });
    ack({ room });
  });

  socket.on("who", async ({ room }, ack) => {
    ack({ room, people: await people(room) });
  });

  socket.on("chat message", ({ room, text }, ack) => {
    if (!socket.rooms.has(room)) {
      return ack(process.env.STRANGERS === "ignored" ? { delivered: false } : { error: `you are not in ${room}` });
    }
    socket.to(room).emit("chat message", { room, nick: socket.data.nick, text });
    ack({ delivered: true });
  });
}
