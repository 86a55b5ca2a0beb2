// What the tests of this folder say about clients, in a few words. Nothing here waits for a length of time: a test
// waits for what it expects, or for a fence, an acknowledged round trip behind which nothing earlier can hide.
import { Manager, io } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";

const PATIENCE = 5_000; // for something that is certain to come; a test that needs it has failed

/** The server under test, without the path of its Socket.IO endpoint. */
export const url = process.env.SOCKRATES_URL?.replace(/\/socket\.io\/?$/, "");
if (!url) throw new Error("SOCKRATES_URL does not say which server to test; with-server.js sets it");

/** The parser of every client: that of the server. */
const parser = process.env.PARSER === "msgpack" ? { parser: msgpack } : {};

/** Connects an official client to `namespace` and closes it with the test `t`. */
export async function connect(t, namespace = "/", options = {}) {
  const socket = open(t, namespace, options);
  await next(socket, "connect");
  return socket;
}

/** Like `connect`, without waiting for the outcome. */
export function open(t, namespace = "/", options = {}) {
  const socket = io(new URL(namespace, url).href, {
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
    ...parser,
    ...options,
  });
  t.after(() => socket.disconnect().io.engine?.close());
  return listen(socket);
}

/** Connects to several namespaces over one connection. */
export async function connectTo(t, namespaces) {
  const manager = new Manager(url, { transports: ["websocket"], reconnection: false, ...parser });
  t.after(() => manager.engine.close());
  const sockets = namespaces.map((namespace) => listen(manager.socket(namespace)));
  await Promise.all(sockets.map((socket) => next(socket, "connect")));
  return sockets;
}

/** Notes down what `socket` hears. */
function listen(socket) {
  socket.notes = [];
  return socket.onAny((event, ...args) => socket.notes.push([event, withoutOffset(socket, args)]));
}

/** A server with connection state recovery adds an offset to each event that it does not want acknowledged. */
function withoutOffset(socket, args) {
  return socket._pid && typeof args.at(-1) === "string" ? args.slice(0, -1) : args;
}

/** The arguments of each `event` that `socket` has heard so far. */
export function heard(socket, event) {
  return socket.notes.filter(([name]) => name === event).map(([, args]) => args);
}

/**
 * The arguments with which `emitter` emits `event` the next time. Ask before causing it.
 *
 * Where clients of an earlier test can cause the same event, `wanted` says of the arguments whether they are the ones.
 */
export function next(emitter, event, wanted = () => true) {
  return new Promise((resolve, reject) => {
    const settle = (outcome) => (value) => {
      clearTimeout(timer);
      emitter.off(event, heard);
      emitter.off("connect_error", refused);
      outcome(value);
    };
    const heard = (...args) => wanted(...args) && settle(resolve)(args);
    const refused = settle(reject);
    const timer = setTimeout(() => settle(reject)(new Error(`no "${event}" within ${PATIENCE} ms`)), PATIENCE);
    emitter.on(event, heard);
    if (event === "connect") emitter.on("connect_error", refused);
  });
}

/** Emits `event` and gives the first argument of the acknowledgement. */
export function ask(socket, event, ...args) {
  return socket.timeout(PATIENCE).emitWithAck(event, ...args);
}

/** Emits `event` and gives all arguments of the acknowledgement. */
export function askForAll(socket, event, ...args) {
  return new Promise((resolve, reject) => {
    socket.timeout(PATIENCE).emit(event, ...args, (error, ...answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** Returns when everything that the server had sent to these clients so far has arrived. */
export async function fence(...sockets) {
  await Promise.all(sockets.map((socket) => ask(socket, "message-with-ack", "fence")));
}

/** How often each of these clients has heard `event`, all of them behind a fence. */
export async function counts(event, ...sockets) {
  await fence(...sockets);
  return sockets.map((socket) => heard(socket, event).length);
}
