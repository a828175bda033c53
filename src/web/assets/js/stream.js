// What happens at the gateway, as it happens. Read with fetch rather than EventSource: that one hides the sign of life which
// tells a dead connection from a quiet house, and the status that tells a session that ended.
import { language } from "./i18n.js";

/** The gateway says something every 15 seconds. */
const QUIET = 40_000;
const WAITS = [500, 1000, 2000, 4000, 8000];
/** A tab that nobody looks at gives its connection back: a browser has six for all tabs. */
const UNSEEN = 120_000;

/** Messages by name; `state` when the connection comes or goes, `resync` when something may have been missed. */
export const live = new EventTarget();
/** `off`, `open` or `lost`; since when. */
export const line = { state: "off", since: Date.now() };

let running = null;
/** Something may have been missed since the views were read. */
let stale = false;
let last = null;
let hide;
let unauthorised = () => {};

const tell = (name, detail) => live.dispatchEvent(new CustomEvent(name, { detail }));

function become(state) {
  if (line.state === state) return;
  line.state = state;
  line.since = Date.now();
  stale ||= state === "lost";
  tell("state", line);
  if (state === "open" && stale) {
    stale = false;
    tell("resync");
  }
}

/** Begins to listen. `onEnd` is called when the session is over. */
export function listen(onEnd) {
  unauthorised = onEnd;
  stop();
  running = new AbortController();
  run(running);
}

function stop() {
  running?.abort();
  running = null;
  line.state = "off";
}

function pause(ms, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    const now = () => (clearTimeout(timer), done());
    signal.addEventListener("abort", now, { once: true });
    wake = now;
  });
}
let wake = () => {};

/** Ends it for good: nobody is signed in. */
export function leave() {
  stop();
  stale = false;
}

async function run(mine) {
  for (let tries = 0; !mine.signal.aborted; ) {
    const began = Date.now();
    try {
      await once(mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error.status === 401) return unauthorised();
      if (error.status === 403) return become("off");
    }
    if (mine.signal.aborted) return;
    if (Date.now() - began > 20_000) tries = 0;
    become("lost");
    await pause(WAITS[Math.min(tries++, WAITS.length - 1)], mine.signal);
  }
}

async function once(outer) {
  const own = new AbortController();
  const end = () => own.abort();
  outer.addEventListener("abort", end, { once: true });
  let timer = setTimeout(end, QUIET);
  cut = end;
  try {
    const headers = { Accept: "text/event-stream", "Accept-Language": language };
    if (last !== null) headers["Last-Event-ID"] = last;
    const answer = await fetch("/api/v1/live", { headers, signal: own.signal, cache: "no-store" });
    if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(end, QUIET);
      become("open");
      text += value;
      const whole = text.split("\n\n");
      text = whole.pop();
      whole.forEach(message);
    }
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", end);
    own.abort();
  }
}
let cut = () => {};

function message(text) {
  let name = "message";
  const data = [];
  for (const row of text.split("\n")) {
    const [, field, value] = /^(\w+): ?(.*)$/.exec(row) ?? [];
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id") last = value;
  }
  if (!data.length) return;
  try {
    tell(name, JSON.parse(data.join("\n")));
  } catch (error) {
    console.warn("a message could not be read", name, error);
  }
}

addEventListener("online", () => wake());
addEventListener("offline", () => running && cut());
addEventListener("pageshow", (event) => event.persisted && running && (cut(), wake()));
document.addEventListener("visibilitychange", () => {
  clearTimeout(hide);
  if (document.hidden) {
    if (running) hide = setTimeout(() => (stop(), (stale = true)), UNSEEN);
  } else if (!running && stale) {
    listen(unauthorised);
  } else wake();
});
