// Questions by lines: each line of standard input is a JSON array of a question and its argument, each answer a line of JSON.
// Bytes are written { "$b64": "…" }.
import { createInterface } from "node:readline";

const bytesOf = (_, value) => (typeof value?.$b64 === "string" ? Buffer.from(value.$b64, "base64") : value);

function written(key, value) {
  // Not `value`: a Buffer has become an object with its numbers by then.
  const bytes = this[key];
  return Buffer.isBuffer(bytes) ? { $b64: bytes.toString("base64") } : value;
}

/** Answers with these functions until there are no more questions. */
export async function answer(questions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [question, argument] = JSON.parse(line, bytesOf);
    let answer;
    try {
      answer = { answer: await questions[question](argument) };
    } catch (error) {
      answer = { refused: String(error.message) };
    }
    process.stdout.write(JSON.stringify(answer, written) + "\n");
  }
}
