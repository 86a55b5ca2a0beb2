// A list of things to do that all share: create, read, update, delete and list, each acknowledged with { data } or with
// { error }; the others are told of every change.
//
//   todo:create   { title, completed }      ack { data: id }    todo:created { id, title, completed } to the others
//   todo:read     id                        ack { data: todo }
//   todo:update   { id, title, completed }  ack {}              todo:updated, likewise
//   todo:delete   id                        ack {}              todo:deleted id to the others
//   todo:list                               ack { data: [todo] }
//
// BREAK: refused      one creation in eleven is refused with { error }, and the others are not told
//        wrong        what is read is another thing to do
//        unanswered   a deletion is never acknowledged
//        forgotten    one creation in eleven is acknowledged, but one of the others is not told
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { badly, breakages, listen, oneInEleven } from "./common.js";

const broken = breakages("refused", "wrong", "unanswered", "forgotten");
const emitBadly = badly();
const unlucky = oneInEleven();

const httpServer = createServer();
const io = new Server(httpServer);
const todos = new Map();

/** What is wrong with the fields of a thing to do, by their names. */
function faults({ title, completed }) {
  const details = [];
  if (typeof title !== "string" || title === "" || title.length > 100) details.push({ path: "title" });
  if (typeof completed !== "boolean") details.push({ path: "completed" });
  return details;
}

// As a database answers: a little later.
const database = () => new Promise((done) => setImmediate(done));

io.on("connection", (socket) => {
  socket.on("todo:create", async (todo, ack) => {
    const errorDetails = faults(todo);
    if (errorDetails.length > 0) return ack({ error: "invalid payload", errorDetails });
    if (broken("refused") && unlucky()) return ack({ error: "an unexpected error has occurred" });
    await database();
    const created = { ...todo, id: randomUUID() };
    todos.set(created.id, created);
    if (broken("forgotten")) await emitBadly("lost", socket.broadcast, "todo:created", created);
    else socket.broadcast.emit("todo:created", created);
    ack({ data: created.id });
  });

  socket.on("todo:read", async (id, ack) => {
    await database();
    const other = [...todos.values()].find((todo) => todo.id !== id);
    const todo = broken("wrong") ? (other ?? todos.get(id)) : todos.get(id);
    ack(todo === undefined ? { error: "entity not found" } : { data: todo });
  });

  socket.on("todo:update", async (todo, ack) => {
    const errorDetails = faults(todo);
    if (errorDetails.length > 0) return ack({ error: "invalid payload", errorDetails });
    await database();
    if (!todos.has(todo.id)) return ack({ error: "entity not found" });
    todos.set(todo.id, todo);
    socket.broadcast.emit("todo:updated", todo);
    ack({});
  });

  socket.on("todo:delete", async (id, ack) => {
    await database();
    if (!todos.delete(id)) return ack({ error: "entity not found" });
    socket.broadcast.emit("todo:deleted", id);
    if (!broken("unanswered")) ack({});
  });

  socket.on("todo:list", async (ack) => {
    await database();
    ack({ data: [...todos.values()] });
  });
});

listen(httpServer);
