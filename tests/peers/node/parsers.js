// The official parsers of Socket.IO and Engine.IO, asked by lines. tests/second_opinion/packets.rs asks.
import { decodePacket, decodePayload, encodePacket, encodePayload } from "engine.io-parser";
import { Decoder, Encoder } from "socket.io-parser";
import msgpack from "socket.io-msgpack-parser";
import { answer } from "./questions.js";

const questions = {
  encode: (packet) => new Encoder().encode(packet),
  decode: (messages) => {
    const packets = [];
    const decoder = new Decoder({ maxAttachments: 1000 });
    decoder.on("decoded", (packet) => packets.push(packet));
    messages.forEach((message) => decoder.add(message));
    return packets;
  },
  encodeMsgpack: (packet) => new msgpack.Encoder().encode(packet)[0],
  decodeMsgpack: (bytes) => {
    const packets = [];
    const decoder = new msgpack.Decoder();
    decoder.on("decoded", (packet) => packets.push(packet));
    decoder.add(bytes);
    return packets[0];
  },
  encodeEngine: (packet) => new Promise((resolve) => encodePacket(packet, false, resolve)),
  decodeEngine: (text) => decodePacket(text),
  encodePayload: (packets) => new Promise((resolve) => encodePayload(packets, resolve)),
  decodePayload: (text) => decodePayload(text),
};

await answer(questions);
