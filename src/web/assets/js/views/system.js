// How the gateway is, and for whoever may: staff, tokens, who did what.
import { h, add, fill } from "../dom.js";
import { icon } from "../icons.js";
import { LONG, get, post } from "../api.js";
import { number, span, t, when } from "../i18n.js";
import { changes, faults, may, readerName, readers } from "../state.js";
import { live } from "../stream.js";
import { href } from "../router.js";
import { button, facts, head, into, nothing, part, since, tag } from "../parts/bits.js";
import { confirm } from "../parts/dialog.js";
import { details, explained } from "../parts/said.js";
import { done } from "../parts/toast.js";
import { auditView, staffView, tokensView } from "./staff.js";

const TABS = [["", "status:read"], ["staff", "staff:manage"], ["tokens", "tokens:manage"], ["audit", "audit:read"]];
/** Ages and counts are read anew so often while somebody looks. */
const EVERY = 15_000;

export function systemView(root, where) {
  const tabs = TABS.filter(([, scope]) => may(scope));
  const name = tabs.some(([tab]) => tab === where.rest[0]) ? where.rest[0] : "";
  const bar = tabs.length > 1 && h("nav", { class: "tabs", "aria-label": t("system.parts") }, h("ul", {}, tabs.map(([tab]) => h("li", {},
    h("a", { href: href("system", tab ? [tab] : []), "aria-current": tab === name ? "page" : null, data: { test: `tab-${tab || "status"}` } }, t(`system.${tab || "status"}`))))));
  const place = h("div", { data: { part: name || "status" } });
  add(root, head(t("nav.system")), bar, place);
  if (name) return { staff: staffView, tokens: tokensView, audit: auditView }[name](place);
  return statusView(place);
}

function statusView(root) {
  const alarms = h("div", {});
  const place = h("div", {});
  add(root, alarms, place);
  let timer;
  let asked = 0;

  const drawFaults = () => fill(alarms, faults.length
    ? h("section", { class: "part alarms", "aria-labelledby": "alarms", data: { test: "faults" } },
        h("h2", { id: "alarms" }, icon("alert"), t("system.faults", { n: faults.length })),
        h("ul", {}, faults.map((fault) => h("li", { data: { fault: fault.key } }, explained(fault.say, fault.text), h("p", { class: "soft small" }, since(fault.since))))))
    : h("p", { class: "banner good", data: { test: "no-faults" } }, icon("check"), t("system.no_faults")));

  async function draw() {
    const mine = ++asked;
    const status = await get("/api/v1/status");
    return mine === asked ? cards(status, again) : [...place.childNodes];
  }
  // The first time it is waited for; later what stands is changed only when the new is there.
  const again = async () => {
    clearTimeout(timer);
    timer = setTimeout(again, EVERY);
    if (document.hidden || place.contains(document.activeElement)) return;
    try {
      fill(place, await draw());
    } catch {
      // The bar above says that the connection is lost.
    }
  };
  drawFaults();
  into(place, draw);
  timer = setTimeout(again, EVERY);
  changes.addEventListener("faults", drawFaults);
  live.addEventListener("resync", again);
  return () => {
    clearTimeout(timer);
    changes.removeEventListener("faults", drawFaults);
    live.removeEventListener("resync", again);
  };
}

function cards(status, again) {
  const it = status.sections;
  return h("div", { class: "flow" },
    sync(it.sync, it.desk, again), lines(it.lines ?? {}), desk(it.desk_readers), store(it.store, it.check_ins),
    ks(it.ks, it.ks_entries), gateway(status, it));
}

function sync(it, desk, again) {
  if (!it) return part(t("system.sync"), { mark: "cloud", test: "sync" }, nothing("cloud", t("system.no_cloud")));
  const well = !it.last_error;
  return part(t("system.sync"), { mark: "cloud", test: "sync" },
    h("p", { class: "large" }, it.taken_at ? since(it.taken_at) : t("system.never"), " ", well ? tag("good", "check", t("system.in_step")) : tag("bad", "alert", t("system.failing"))),
    it.last_error && h("div", { class: "wrong" }, h("p", {}, t("system.fetch_failed")), details(it.last_error)),
    it.held && h("div", { class: "banner warn", data: { test: "held-snapshot" } }, icon("alert"),
      h("div", {}, h("strong", {}, t("system.held")), h("p", {}, t("say.snapshot_held")), details(it.held.held_because),
        h("p", { class: "small" }, t("system.held_counts", { people: it.held.people, cards: it.held.credentials, grants: it.held.grants })),
        may("sync:run") && button(t("system.accept"), async () => {
          if (!(await confirm(t("system.accept"), t("system.accept_text"), t("system.accept"), { danger: true }))) return;
          await post("/api/v1/sync/accept", {}, { patience: LONG });
          done(t("system.accepted"));
          document.activeElement?.blur();
          again();
        }, { look: "danger", test: "accept" }))),
    facts([t("system.people"), number(it.people)], [t("system.cards"), number(it.credentials)], [t("system.grants"), number(it.grants)],
      it.last_contact && [t("system.contact"), since(it.last_contact)],
      desk && [t("system.waiting"), t("system.waiting_n", { n: desk.waiting })], it.place && [t("system.place"), h("span", { class: "mono small" }, it.place)]),
    it.warnings?.length > 0 && h("details", {}, h("summary", {}, t("system.warnings", { n: it.warnings.length })), h("ul", { class: "small", lang: "en" }, it.warnings.map((words) => h("li", {}, words)))),
    may("sync:run") && h("div", { class: "row" }, button(t("system.sync_now"), async () => {
      await post("/api/v1/sync/now", {}, { patience: LONG });
      done(t("system.synced"));
      document.activeElement?.blur();
      again();
    }, { mark: "replace", test: "sync-now" })));
}

function lines(all) {
  const rows = Object.entries(all).flatMap(([line, it]) => Object.entries(it.readers ?? {}).map(([id, reader]) => [id, reader, line, it]));
  const silent = Object.entries(all).filter(([, it]) => !it.open);
  return part(t("system.readers"), { mark: "reader", test: "readers" },
    silent.map(([line, it]) => h("p", { class: "wrong" }, t("system.line_closed", { name: line, path: it.path }))),
    rows.length ? h("ul", { class: "plain-list" }, rows.map(([id, reader, line]) => h("li", { class: "state-row" },
      h("span", { class: "who" }, h("strong", {}, id), h("span", { class: "soft small" }, line)),
      reader.install_mode && tag("warn", "alert", t("system.install_mode")),
      reader.online ? tag("good", "check", t("system.online")) : tag("bad", "alert", t("system.offline"))))) : nothing("reader", t("system.no_readers")));
}

function desk(it) {
  if (!it && !may("cards:write")) return null;
  const all = it?.readers ?? readers.readers;
  return part(t("system.desk"), { mark: "desk", test: "desk-readers" },
    readers.trouble.map((it) => h("div", { class: "wrong" }, explained(it.say, it.words))),
    all.length ? h("ul", { class: "plain-list" }, all.map((reader) => h("li", { class: "state-row" },
      h("span", { class: "who" }, h("strong", {}, readerName(reader)), h("span", { class: "soft small" }, t(`reader_kind.${reader.kind}`))), tag("good", "check", t("system.online")))))
      : nothing("desk", t("desk.no_reader")));
}

function store(it, checkIns) {
  if (!it) return null;
  const waiting = Object.entries(it.unsent ?? {});
  return part(t("system.journal"), { mark: "list", test: "journal" },
    it.last_error ? h("div", { class: "wrong" }, h("p", {}, t("system.journal_failed")), details(it.last_error)) : h("p", {}, tag("good", "check", t("system.journal_well"))),
    facts([t("system.events"), t("system.of", { n: number(it.events), all: number(it.max_events) })], [t("system.lost"), number(it.lost)],
      ...waiting.map(([name, n]) => [t("system.unsent", { name }), number(n)])),
    checkIns?.kept_here && [h("p", { class: "soft small" }, t("system.check_ins_here")), details(checkIns.kept_here)]);
}

function ks(it, entries) {
  if (!it) return null;
  const drift = Object.values(it.drift ?? {}).reduce((sum, n) => sum + n, 0);
  return part("SALTO KS", { mark: "lock", test: "ks" },
    it.error && h("div", { class: "wrong" }, h("p", {}, t("say.ks_unreachable")), details(it.error)), it.held && h("div", { class: "banner warn" }, icon("alert"), h("div", {}, h("p", {}, t("say.ks_plan_held")), details(it.held))),
    h("p", {}, drift ? tag("warn", "clock", t("system.ks_drift", { n: drift })) : tag("good", "check", t("system.in_step"))),
    facts(it.compared && [t("system.ks_compared"), since(it.compared)], it.seats && [t("system.ks_seats"), t("system.of", { n: number(it.seats[1]), all: number(it.seats[0]) })],
      entries?.mode && [t("system.ks_entries"), entries.mode]),
    it.waits?.length > 0 && h("details", {}, h("summary", {}, t("system.ks_waits", { n: it.waits.length })), h("ul", { class: "small", lang: "en" }, it.waits.slice(0, 50).map((wait) => h("li", {}, wait.why ?? wait.words ?? JSON.stringify(wait))))));
}

function gateway(status, it) {
  return part(t("system.gateway"), { mark: "system", test: "gateway" },
    facts([t("system.clock"), h("span", {}, when(status.now), " ", it.clock?.trusted ? tag("good", "check", t("system.trusted")) : tag("bad", "alert", t("system.untrusted")))],
      [t("system.zone"), status.zone], [t("system.uptime"), span(status.uptime_seconds)], [t("system.version"), status.version],
      it.mqtt && [t("system.mqtt"), it.mqtt.connected ? t("system.online") : t("system.offline")],
      it.page?.fingerprint && [t("system.certificate"), h("details", {}, h("summary", {}, t(`system.certificate_${it.page.certificate}`)), h("code", { class: "small break" }, it.page.fingerprint))]));
}
