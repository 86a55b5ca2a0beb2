// The official parsers of Socket.IO 2 and Engine.IO 3, asked by lines as those of ../node/parsers.js are.
const engine = require("engine.io-parser");
const hasBinary = require("has-binary2");
const { Decoder, Encoder, EVENT, ACK, BINARY_EVENT, BINARY_ACK } = require("socket.io-parser");

const binaryTypes = { [EVENT]: BINARY_EVENT, [ACK]: BINARY_ACK };
// A packet keeps the type that it had on the wire here.
const plainTypes = { [BINARY_EVENT]: EVENT, [BINARY_ACK]: ACK };

const questions = {
  encode: (packet) => {
    const type = hasBinary(packet.data) ? binaryTypes[packet.type] : packet.type;
    return new Promise((resolve) => new Encoder().encode({ ...packet, type }, resolve));
  },
  decode: (messages) => {
    const packets = [];
    const decoder = new Decoder();
    decoder.on("decoded", (packet) => packets.push({ ...packet, type: plainTypes[packet.type] ?? packet.type }));
    messages.forEach((message) => decoder.add(message));
    return packets;
  },
  // The form of text, and that of bytes where there are any.
  encodeText: (packets) => new Promise((resolve) => engine.encodePayload(packets, false, resolve)),
  encodeAny: (packets) => new Promise((resolve) => engine.encodePayload(packets, true, resolve)),
  encodeBytes: (packets) => new Promise((resolve) => engine.encodePayloadAsBinary(packets, resolve)),
  decodePayload: (body) => {
    const packets = [];
    engine.decodePayload(body, (packet) => {
      packets.push(packet);
    });
    return packets;
  },
};

import("../node/questions.js").then(({ answer }) => answer(questions));
