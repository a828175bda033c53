// The card that lies on the reader: whose it is, and what may become of it.
import { h, add, fill } from "../dom.js";
import { icon } from "../icons.js";
import { get, id, post } from "../api.js";
import { ago, t } from "../i18n.js";
import { changes, readerName, readers } from "../state.js";
import { live } from "../stream.js";
import { stay } from "../router.js";
import { button } from "../parts/bits.js";
import { words } from "../parts/said.js";
import { failed, say } from "../parts/toast.js";
import { cardPanel } from "./card.js";
import { donePanel } from "./done.js";
import { typed, browserReaders } from "./typed.js";

/** A card that was laid there so long ago is not the one in somebody's hand. */
const FRESH = 20_000;

export function stage(root, where) {
  let card = null;
  let pending = null;
  let mode = modeOf(where.query);
  const place = h("section", { class: "stage", "aria-labelledby": "stage-title", data: { test: "stage" } });
  const tools = h("div", { class: "row tools" },
    button(t("desk.refused"), lastRefused, { mark: "refused", test: "last-refused" }),
    button(t("desk.typed"), () => typed((it) => show(it)), { mark: "keys", test: "typed" }),
    browserReaders((it) => show(it)));
  const banner = h("div", {});
  add(root, banner, place, tools);

  function modeOf(asked) {
    if (asked.for) return { give: { id: asked.for, name: "" } };
    if (asked.old) return { replace: { ref: asked.old, shown: asked.shown ?? "", name: asked.name ?? "" } };
    return {};
  }

  function free() {
    mode = {};
    stay("desk");
    drawMode();
  }

  function drawMode() {
    const whom = mode.give ? t("desk.for", { name: mode.give.name || mode.give.id }) : mode.replace && t("desk.instead", { name: mode.replace.name, card: mode.replace.shown });
    fill(banner, whom && h("div", { class: "banner mode", data: { test: "mode" } }, icon(mode.give ? "fob" : "replace"), h("strong", {}, whom),
      h("button", { type: "button", class: "quiet", on: { click: () => (free(), draw()) } }, t("common.cancel"))));
  }

  /** Another card is looked at. */
  function show(presented) {
    // What is typed here comes back by the stream as well.
    if (card && presented.n && card.n === presented.n) return;
    card = { ...presented, here: true };
    draw();
    const { look } = card;
    say(look?.unfit ? t("desk.unfit") : look?.holders.length ? t("desk.is", { name: look.holders.map((it) => it.name).join(", ") }) : t("desk.new"));
  }

  function draw() {
    if (!card) return idle();
    place.dataset.state = card.done ? "done" : card.look?.unfit ? "unfit" : card.look?.holders.length ? "held" : "new";
    place.dataset.blocked = String(!card.done && Boolean(card.look?.blocked));
    place.dataset.n = card.n ?? "";
    fill(place, card.done ? donePanel(card, { again }) : cardPanel(card, mode, { changed, leave: idleAgain, redraw: draw }));
    (place.querySelector("input[data-focus], button[data-focus]") ?? place.querySelector("[data-focus]"))?.focus();
  }

  function idleAgain() {
    card = null;
    draw();
  }

  function idle() {
    place.dataset.state = "idle";
    place.dataset.blocked = "false";
    const none = !readers.readers.length;
    fill(place, h("div", { class: "idle" }, picture(),
      h("h2", { id: "stage-title" }, t("desk.lay")),
      h("p", { class: "soft", data: { test: "idle-reader" } }, none ? t("desk.no_reader_more") : t("desk.at", { names: readers.readers.map(readerName).join(", ") }))));
  }

  /** Something was done with the card. */
  function changed(change, before) {
    card = { ...card, done: change, before };
    free();
    draw();
    say(t("desk.has", { name: change.name }));
  }

  /** What was done was taken back: look again. */
  async function again() {
    card = { ...card, done: null, look: await post("/api/v1/cards/look", { card: card.card }) };
    draw();
  }

  async function lastRefused() {
    const look = await post("/api/v1/cards/look", { card: "refused" });
    const when = look.refused ? ago(look.refused.at) : "";
    show({ card: look.ref ?? "refused", shown: look.card, look, reader: null, from: when });
  }

  const presented = async ({ detail }) => {
    if (document.querySelector("dialog[open]")) return void (pending = detail);
    if (detail.look === undefined || detail.look === null) {
      try {
        detail.look = await post("/api/v1/cards/look", { card: detail.card });
      } catch (error) {
        return failed(error);
      }
    }
    show(detail);
  };
  // The card of a dialog stays the one that the dialog is about; the next one is looked at when it is closed.
  const closed = () => {
    if (!pending) return;
    const next = pending;
    pending = null;
    presented({ detail: next });
  };
  const removed = ({ detail }) => {
    if (card?.reader?.id !== detail.reader) return;
    card.here = false;
    place.querySelector("[data-here]")?.setAttribute("data-here", "false");
  };
  const remark = ({ detail }) => {
    // What lies there now is not the card that is shown: nobody shall give away the wrong one.
    if (card?.reader && !card.done && card.reader.id === detail.reader && !document.querySelector("dialog[open]")) idleAgain();
    failed({ status: 0, words: words(detail.say, detail.words), more: "" });
  };
  const readersChanged = () => !card && idle();

  live.addEventListener("presented", presented);
  live.addEventListener("removed", removed);
  live.addEventListener("trouble", remark);
  changes.addEventListener("readers", readersChanged);
  document.addEventListener("close", closed, true);
  drawMode();
  draw();
  if (mode.give) {
    get(`/api/v1/people/${id(mode.give.id)}`).then((it) => {
      mode.give = { id: it.id, name: it.name };
      drawMode();
      if (card && !card.done) draw();
    }).catch(failed);
  }
  get("/api/v1/cards/presented").then(({ presentations }) => {
    const last = presentations.at(-1);
    if (!card && last && Date.now() - last.at < FRESH) presented({ detail: last });
  }).catch(() => {});
  return () => {
    live.removeEventListener("presented", presented);
    live.removeEventListener("removed", removed);
    live.removeEventListener("trouble", remark);
    changes.removeEventListener("readers", readersChanged);
    document.removeEventListener("close", closed, true);
  };
}

/** A reader that waits. */
function picture() {
  return h("div", { class: "reader-picture", "aria-hidden": "true" }, h("span", { class: "wave" }), h("span", { class: "wave" }), h("span", { class: "wave" }), h("span", { class: "plate" }, icon("nfc")), h("span", { class: "fob" }, icon("fob")));
}
