// A gateway of NestJS, as its documentation builds them: a handler that returns { event, data } answers by that event, a
// handler that returns a stream answers with several of them, and one that returns anything else acknowledges.
//
//   events  [number]   →  events number, once for each
//   identity value     ack value
//   sum [number]       →  sum number
//   join room          →  joined room
//   message { room, text }  →  message { room, text, from } to everybody in the room, the sender among them
//   sum of what is no list  →  exception { status: "error", message }
//
// BREAK: wrong        the sum is one too many
//        unanswered   no sum is answered
//        ignored      who joins is told so, and is not in the room
//        doubled      one message in eleven reaches a member twice
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from "@nestjs/websockets";
import { from, map } from "rxjs";
import { badly, breakages, leaveWhenTold } from "./common.js";

const broken = breakages("wrong", "unanswered", "ignored", "doubled");
const emitBadly = badly();

class Gateway {
  events(data) {
    return from(data).pipe(map((item) => ({ event: "events", data: item })));
  }

  identity(data) {
    return data;
  }

  sum(data) {
    if (!Array.isArray(data)) throw new WsException("not a list");
    if (broken("unanswered")) return undefined;
    const sum = data.reduce((total, item) => total + item, broken("wrong") ? 1 : 0);
    return { event: "sum", data: sum };
  }

  async join(room, socket) {
    if (!broken("ignored")) await socket.join(room);
    return { event: "joined", data: room };
  }

  message({ room, text }, socket) {
    const message = { room, text, from: socket.id };
    if (broken("doubled")) return void emitBadly("doubled", this.server.to(room), "message", message);
    this.server.to(room).emit("message", message);
  }
}

// What a compiler makes of decorators.
WebSocketServer()(Gateway.prototype, "server");
for (const name of ["events", "identity", "sum", "join", "message"]) {
  SubscribeMessage(name)(Gateway.prototype, name, Object.getOwnPropertyDescriptor(Gateway.prototype, name));
  MessageBody()(Gateway.prototype, name, 0);
  ConnectedSocket()(Gateway.prototype, name, 1);
}
WebSocketGateway()(Gateway);

class Application {}
Module({ providers: [Gateway] })(Application);

const application = await NestFactory.create(Application, { logger: ["error"] });
await application.listen(process.env.PORT ?? 0, "127.0.0.1");
console.log(`listening on http://127.0.0.1:${application.getHttpServer().address().port}/socket.io/`);
leaveWhenTold();
