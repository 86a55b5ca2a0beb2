// Draws what the chat knows. Everything that came from somebody else is set as text, never as markup.
"use strict";

const view = (() => {
  const MOST_LINES = 500;
  const element = (id) => document.getElementById(id);

  const span = (name, text) => {
    const node = document.createElement("span");
    node.className = name;
    node.textContent = text;
    return node;
  };

  const add = (item) => {
    const log = element("log");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(item);
    while (log.children.length > MOST_LINES) log.firstElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  };

  return {
    element,

    status(text) {
      element("status").textContent = text;
    },

    message({ from, text, room, own }) {
      const item = document.createElement("li");
      if (own) item.className = "own";
      if (room) item.append(span("where", room));
      item.append(span("who", from), span("words", text));
      add(item);
    },

    note(text) {
      const item = document.createElement("li");
      item.className = "note";
      item.textContent = text;
      add(item);
    },

    people(names) {
      element("people").replaceChildren(...names.map((name) => {
        const item = document.createElement("li");
        item.textContent = name;
        return item;
      }));
    },

    rooms(names, current, choose) {
      element("rooms").replaceChildren(...names.map((name) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = name;
        button.setAttribute("aria-pressed", String(name === current));
        button.addEventListener("click", () => choose(name));
        item.append(button);
        return item;
      }));
      const inside = names.length > 0;
      element("leave").disabled = !inside;
      element("text").disabled = !inside;
      element("send").disabled = !inside;
      element("text").placeholder = inside ? `Message to ${current}` : "Join a room first";
    },
  };
})();
