// The day on which everybody gets a card: each presentation is the next one's, without a click.
import { h, add, fill } from "../dom.js";
import { icon } from "../icons.js";
import { call, del, get, post } from "../api.js";
import { t } from "../i18n.js";
import { live } from "../stream.js";
import { button } from "../parts/bits.js";
import { confirm, field } from "../parts/dialog.js";
import { sentence, words } from "../parts/said.js";
import { failed, say } from "../parts/toast.js";
import { initials } from "../views/people.js";
import { platform } from "./actions.js";

/** One queue a gateway: whoever opens the desk goes on with it. */
const AT = "/api/v1/queues/desk";

export function queueView(root) {
  const place = h("section", { class: "stage queue", "aria-labelledby": "stage-title", data: { test: "queue" } });
  add(root, place);
  let running = false;
  let chain = Promise.resolve();

  async function load() {
    try {
      draw({ progress: await get(AT) });
    } catch (error) {
      if (error.status === 401) return;
      if (error.status !== 404 && error.code !== "no_queue") failed(error);
      begin();
    }
  }

  function begin() {
    running = false;
    place.dataset.state = "begin";
    const sheet = h("textarea", { placeholder: "email\nana@example.com\nben@example.com", spellcheck: "false", data: { test: "queue-sheet" } });
    const file = h("input", { type: "file", accept: ".csv,text/csv,text/plain", data: { test: "queue-file" }, on: { change: async () => file.files[0] && (sheet.value = await file.files[0].text()) } });
    const search = h("input", { type: "search", autocomplete: "off", data: { test: "queue-search" } });
    const company = h("input", { autocomplete: "off", data: { test: "queue-company" } });
    const plan = h("input", { autocomplete: "off", data: { test: "queue-plan" } });
    const without = h("input", { type: "checkbox", checked: true, data: { test: "queue-without" } });
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const send = async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      const asked = { without_card: without.checked };
      for (const [name, input] of Object.entries({ csv: sheet, search, company, plan })) if (input.value.trim()) asked[name] = input.value.trim();
      try {
        draw(await post(AT, asked));
      } catch (error) {
        fill(wrong, error.words, error.more && h("span", { class: "more", lang: "en" }, error.more));
        wrong.hidden = false;
      }
    };
    fill(place, h("h2", { id: "stage-title" }, t("queue.title")), h("p", { class: "soft" }, t("queue.text")),
      h("form", { class: "stack", on: { submit: send } },
        h("div", { class: "two" },
          h("fieldset", { class: "stack" }, h("legend", {}, t("queue.filter")), field(t("queue.search"), search), field(t("queue.company"), company), field(t("queue.plan"), plan), h("label", { class: "check" }, without, h("span", {}, t("queue.without")))),
          h("fieldset", { class: "stack" }, h("legend", {}, t("queue.sheet")), field(t("queue.file"), file), field(t("queue.lines"), sheet, t("queue.sheet_hint")))),
        wrong, h("button", { class: "main big", data: { test: "queue-begin" } }, t("queue.begin"))));
  }

  function draw(step) {
    const { progress } = step;
    running = Boolean(progress.next);
    place.dataset.state = running ? "running" : "over";
    place.dataset.outcome = step.outcome ?? "";
    const left = progress.people - progress.done - progress.skipped;
    const bar = h("progress", { max: progress.people, value: progress.done + progress.skipped, "aria-label": t("queue.progress") });
    bar.value = progress.done + progress.skipped;
    fill(place,
      h("div", { class: "queue-bar" }, bar, h("p", { data: { test: "queue-progress" } }, t("queue.so_far", { n: progress.done, all: progress.people }), progress.skipped > 0 && [" · ", t("queue.skipped", { n: progress.skipped })])),
      running
        ? h("div", { class: "turn" }, h("p", { class: "soft" }, t("queue.next")), h("h2", { id: "stage-title", class: "turn-name", data: { test: "queue-next" } }, progress.next.name), h("p", {}, t("queue.lay")), progress.after && h("p", { class: "soft" }, t("queue.then", { name: progress.after.name })))
        : h("div", { class: "turn" }, h("span", { class: "verdict-mark", "aria-hidden": "true" }, icon("check")), h("h2", { id: "stage-title", data: { test: "queue-over" } }, t("queue.over", { n: progress.done }))),
      said(step),
      h("div", { class: "row" },
        running && button(t("queue.skip"), () => act("skip"), { mark: "skip", test: "queue-skip" }),
        (progress.done > 0 || progress.skipped > 0) && button(t("queue.undo"), () => act("undo"), { mark: "undo", test: "queue-undo" }),
        button(t(running ? "queue.stop" : "queue.close"), end, { look: running ? "quiet" : "main", test: "queue-end" })),
      step.left_out?.length > 0 && h("details", { open: true }, h("summary", {}, t("queue.left_out", { n: step.left_out.length })), h("ul", { class: "small" }, step.left_out.map((it, at) => sentence(step.left_out_say?.[at], it, "li")))));
    if (step.outcome) say(step.given ? t("queue.given", { name: progress.last?.name ?? "" }) : words(step.say, step.message));
    else if (running) say(t("queue.next_is", { name: progress.next.name, n: left }));
  }

  function said(step) {
    if (!step.outcome) return null;
    if (step.outcome === "given") {
      const name = step.progress.last?.name ?? step.change?.name ?? "";
      return h("p", { class: "banner good", data: { test: "queue-said" } }, h("span", { class: "initials", "aria-hidden": "true" }, initials(name)), h("span", {}, t("queue.given", { name }), " ", platform(step.change?.platform)));
    }
    return h("p", { class: `banner ${step.outcome}`, data: { test: "queue-said" } }, icon("info"), sentence(step.say, step.message));
  }

  async function act(what) {
    draw({ ...(await post(`${AT}/${what}`)), outcome: "calm" });
  }

  async function end() {
    if (running && !(await confirm(t("queue.stop"), t("queue.stop_text"), t("queue.stop")))) return;
    await del(AT);
    begin();
  }

  // One after another, as they were laid there.
  const presented = ({ detail }) => {
    if (!running) return;
    chain = chain.then(async () => {
      if (!running || !place.isConnected) return;
      try {
        const step = await call("POST", `${AT}/present`, { card: detail.card });
        draw({ ...step, outcome: step.given ? "given" : "warn" });
      } catch (error) {
        failed(error);
      }
    });
  };
  load();
  live.addEventListener("presented", presented);
  live.addEventListener("resync", load);
  return () => {
    running = false;
    live.removeEventListener("presented", presented);
    live.removeEventListener("resync", load);
  };
}
