// The chat: rooms, messages and presence over the fixture's events.
//
//   t:join, t:leave     enter and leave a room; acknowledged with the rooms one is in
//   t:cast              to the others in a room: said, here, gone-from
//   gone                from the server, to everybody in the room "watch": a client has left
//
// Simulated clients speak the same events; whoever casts "said" to a room is heard here.
"use strict";

(() => {
  const LONGEST = 2000;
  const { element } = view;
  const socket = io({ path: document.body.dataset.path });
  const joined = [];
  const people = new Map(); // socket id -> { nick, rooms }
  let current = null;

  const nick = () => element("nick").value.trim() || "somebody";
  const cast = (to, event, ...args) => socket.emit("t:cast", { from: "socket", to: [to] }, event, args, () => {});
  const clip = (value) => String(value).slice(0, LONGEST);

  element("nick").value = `guest-${Math.floor(Math.random() * 9000) + 1000}`;

  // --- who is here -------------------------------------------------------------------------------------

  function drawPeople() {
    const others = [...people.values()]
      .filter((person) => current !== null && person.rooms.has(current))
      .map((person) => person.nick)
      .sort((a, b) => a.localeCompare(b));
    view.people(current === null ? [] : [`${nick()} (you)`, ...others]);
  }

  function announce(to, room, reply) {
    cast(to, "here", { id: socket.id, nick: nick(), room, reply });
  }

  function onHere(card) {
    if (typeof card !== "object" || card === null || typeof card.id !== "string") return;
    const room = clip(card.room);
    const person = people.get(card.id) ?? { rooms: new Set() };
    if (!person.rooms.has(room) && !card.reply) view.note(`${clip(card.nick)} joined ${room}`);
    person.nick = clip(card.nick);
    person.rooms.add(room);
    people.set(card.id, person);
    if (!card.reply && joined.includes(room)) announce(card.id, room, true);
    drawPeople();
  }

  function onGone(id, room) {
    const person = people.get(id);
    if (!person) return;
    const where = room === undefined ? "the chat" : clip(room);
    view.note(`${person.nick} left ${where}`);
    if (room !== undefined) person.rooms.delete(clip(room));
    if (room === undefined || person.rooms.size === 0) people.delete(id);
    drawPeople();
  }

  // --- rooms -------------------------------------------------------------------------------------------

  function drawRooms() {
    view.rooms(joined, current, choose);
    drawPeople();
  }

  function choose(room) {
    current = room;
    element("room").value = room;
    drawRooms();
  }

  function enter(room) {
    socket.emit("t:join", room, () => {
      if (!joined.includes(room)) {
        joined.push(room);
        view.note(`you joined ${room}`);
      }
      announce(room, room, false);
      choose(room);
      element("text").focus();
    });
  }

  function leave(room) {
    cast(room, "gone-from", { id: socket.id, room });
    socket.emit("t:leave", room, () => {
      joined.splice(joined.indexOf(room), 1);
      people.forEach((person) => person.rooms.delete(room));
      view.note(`you left ${room}`);
      current = joined.at(-1) ?? null;
      drawRooms();
    });
  }

  // --- messages ----------------------------------------------------------------------------------------

  function onSaid(said) {
    const card = typeof said === "object" && said !== null ? said : { text: said };
    const text = typeof card.text === "object" ? JSON.stringify(card.text) : card.text ?? JSON.stringify(said);
    view.message({ from: clip(card.from ?? "somebody"), text: clip(text), room: card.room && clip(card.room) });
  }

  function speak(text) {
    cast(current, "said", { from: nick(), text, room: current });
    view.message({ from: nick(), text, room: current, own: true });
  }

  // --- the connection ----------------------------------------------------------------------------------

  socket.on("connect", () => {
    view.status("connected");
    people.clear();
    socket.emit("t:join", "watch", () => {});
    for (const room of joined) {
      socket.emit("t:join", room, () => announce(room, room, false));
    }
    drawPeople();
  });
  socket.on("disconnect", (reason) => view.status(`disconnected: ${reason}`));
  socket.on("connect_error", (error) => view.status(`cannot connect: ${error.message}`));
  socket.on("said", onSaid);
  socket.on("here", onHere);
  socket.on("gone-from", (card) => card && onGone(card.id, card.room));
  socket.on("gone", (id) => onGone(id));

  element("entrance").addEventListener("submit", (event) => {
    event.preventDefault();
    const room = element("room").value.trim();
    if (room) enter(room);
  });
  element("leave").addEventListener("click", () => current !== null && leave(current));
  element("nick").addEventListener("change", () => {
    joined.forEach((room) => announce(room, room, true));
    drawPeople();
  });
  element("speak").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = element("text").value;
    if (text.trim() === "" || current === null) return;
    speak(text);
    element("text").value = "";
  });

  drawRooms();
})();
