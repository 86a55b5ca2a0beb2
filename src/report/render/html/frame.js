// The frame around a report that grows: it puts each new report in the place of the one before, where the reader is.
"use strict";
(() => {
  const [state, stop, place] = ["state", "stop", "place"].map((id) => document.getElementById(id));
  let shown = null;
  let loading = false;
  // The numbers of the latest report and of the one that is in place.
  let latest = 0;
  let loaded = 0;

  // What the reader has opened stays open, and the page stays where it is.
  const carry = (from, to) => {
    const [old, fresh] = [from, to].map((frame) => [...frame.contentDocument.querySelectorAll("details")]);
    if (old.length === fresh.length) fresh.forEach((one, index) => (one.open = old[index].open));
    to.contentWindow.scrollTo(from.contentWindow.scrollX, from.contentWindow.scrollY);
  };

  // One report at a time: while it is put in place, those that come are left out, except for the last.
  const show = async () => {
    if (loading || loaded === latest) return;
    loading = true;
    const number = latest;
    const answer = await fetch(`report?${number}`);
    const frame = document.createElement("iframe");
    frame.title = "The report so far";
    frame.className = "waiting";
    frame.addEventListener("load", () => {
      if (shown) carry(shown, frame);
      frame.className = "";
      shown?.remove();
      shown = frame;
      loading = false;
      loaded = number;
      show();
    });
    frame.srcdoc = await answer.text();
    place.append(frame);
  };

  const events = new EventSource("events");
  events.addEventListener("report", (event) => {
    state.textContent = "The run goes on. The report says what it would say if the run ended now.";
    latest = Number(event.data);
    show();
  });
  events.addEventListener("over", (event) => {
    events.close();
    stop.hidden = true;
    state.textContent = "The run is over. This is its report.";
    latest = Number(event.data);
    show();
  });
  events.addEventListener("error", () => {
    stop.hidden = true;
    state.textContent = "sockrates does not answer any more. This is the last report that came.";
  });
  events.addEventListener("open", () => {
    stop.hidden = false;
  });
  stop.addEventListener("click", async () => {
    if (!confirm("Stop this run? Its report up to here is kept.")) return;
    stop.disabled = true;
    state.textContent = "The run is being stopped.";
    await fetch("stop", { method: "POST" });
  });
})();
