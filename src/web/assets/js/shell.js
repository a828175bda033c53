// What stands around every view: the way around, the state of the connection, whoever is signed in.
import { h, fill } from "./dom.js";
import { icon } from "./icons.js";
import { t, hour } from "./i18n.js";
import { changes, conflicts, faults, may, me, site } from "./state.js";
import { here, href, go } from "./router.js";
import { line, live } from "./stream.js";
import { deskView } from "./views/desk.js";
import { liveView } from "./views/live.js";
import { peopleView } from "./views/people.js";
import { personView } from "./views/person.js";
import { doorsView } from "./views/doors.js";
import { systemView } from "./views/system.js";
import { accountView } from "./views/account.js";
import { done } from "./parts/toast.js";

/** In the order of the way around; the first one that somebody may see is where they begin. */
const VIEWS = [
  { name: "desk", mark: "desk", scope: "cards:write", make: deskView },
  { name: "live", mark: "live", scope: "events:read", make: liveView },
  { name: "people", mark: "people", scope: "people:read", make: (root, where) => (where.rest[0] ? personView : peopleView)(root, where) },
  { name: "doors", mark: "doors", scope: "doors:read", make: doorsView },
  { name: "system", mark: "system", scope: "status:read", make: systemView },
];
const ACCOUNT = { name: "account", mark: "account", make: accountView };

let end = null;
let main = null;
let tidy = [];
let leave = () => {};

const on = (target, names, heard) => {
  for (const name of [names].flat()) target.addEventListener(name, heard);
  tidy.push(() => [names].flat().forEach((name) => target.removeEventListener(name, heard)));
};

/** The frame. `out` signs out. */
export function shell({ out }) {
  leave = out;
  main = h("main", { id: "main", tabindex: "-1" });
  if (may("cards:write")) on(live, "presented", elsewhere);
  const skip = h("a", { class: "skip", href: "#main", on: { click: (event) => (event.preventDefault(), main.focus()) } }, t("nav.skip"));
  return [
    skip,
    h("div", { class: "frame" },
      h("header", { class: "side" },
        h("div", { class: "brand" }, mark(), h("div", { class: "brand-words" }, h("strong", { data: { test: "site" } }, site.name), h("span", {}, "Doorward"))),
        navigation(),
        h("div", { class: "side-foot" }, connection(),
          h("a", { class: "nav-link account-link", href: href("account"), data: { view: "account", test: "account-link" } },
            icon("account"), h("span", {}, h("span", { class: "account-name" }, shortName()), me.role && h("small", {}, t(`role.${me.role}`)))))),
      h("div", { class: "stage-side" }, lostBar(), main)),
  ];
}

/** A card lies at the desk while another view is looked at. */
function elsewhere({ detail }) {
  if (main.dataset.view === "desk") return;
  const name = detail.look?.holders.map((it) => it.name).join(", ") || t("desk.new");
  done(t("desk.elsewhere", { name }), h("a", { href: href("desk") }, t("desk.go")));
}

const shortName = () => me.name.replace(/^oidc:/, "");

function mark() {
  const img = h("img", { src: new URL("../icon.svg", import.meta.url).href, alt: "", width: "36", height: "36" });
  return img;
}

function navigation() {
  const links = VIEWS.filter((view) => may(view.scope)).map((view) => {
    const badge = h("span", { class: "badge", hidden: true });
    const link = h("a", { class: "nav-link", href: href(view.name), data: { view: view.name, test: `nav-${view.name}` } },
      icon(view.mark), h("span", {}, t(`nav.${view.name}`)), badge);
    if (view.name === "system") badgeOf(badge, "faults", () => faults.length, "nav.faults");
    if (view.name === "desk") badgeOf(badge, "conflicts", () => conflicts, "nav.conflicts");
    return h("li", {}, link);
  });
  return h("nav", { "aria-label": t("nav.label") }, h("ul", {}, links));
}

function badgeOf(badge, name, count, words) {
  const draw = () => {
    const n = count();
    badge.hidden = n === 0;
    fill(badge, h("span", { "aria-hidden": "true" }, String(n)), h("span", { class: "unseen" }, t(words, { n })));
  };
  on(changes, name, draw);
  draw();
}

/** A lamp that says whether this page is told of what happens. */
function connection() {
  const el = h("p", { class: "lamp", data: { test: "connection" } });
  const draw = () => {
    el.dataset.state = line.state;
    fill(el, h("span", { class: "dot", "aria-hidden": "true" }), t(`connection.${line.state}`));
  };
  on(live, "state", draw);
  draw();
  return el;
}

/** A bar that cannot be overlooked, while the connection is lost. */
function lostBar() {
  const bar = h("div", { class: "lost-bar", role: "alert", hidden: true, data: { test: "lost" } });
  let timer;
  const draw = () => {
    clearTimeout(timer);
    if (line.state !== "lost") return void (bar.hidden = true);
    // The gateway restarts a stream now and then: less than this is not worth a word.
    timer = setTimeout(() => {
      bar.hidden = false;
      fill(bar, icon("alert"), h("p", {}, h("strong", {}, t("connection.lost_since", { time: hour(line.since) })), " ", t("connection.lost_more")));
    }, Math.max(0, 1500 - (Date.now() - line.since)));
  };
  on(live, "state", draw);
  tidy.push(() => clearTimeout(timer));
  draw();
  return bar;
}

/** Ends the view that is shown. */
export function unmount() {
  end?.();
  end = null;
  tidy.forEach((it) => it());
  tidy = [];
}

/** Shows the view that the address names. */
export function show({ focus = false } = {}) {
  const where = here();
  const allowed = VIEWS.filter((view) => may(view.scope));
  const view = where.name === "account" ? ACCOUNT : allowed.find((it) => it.name === where.name);
  if (!view) return allowed.length ? go(allowed[0].name) : undefined;
  end?.();
  main.dataset.view = view.name;
  main.replaceChildren();
  document.title = `${t(`nav.${view.name}`)} – ${site.name}`;
  document.querySelectorAll(".nav-link").forEach((link) => {
    const is = link.dataset.view === view.name;
    if (is) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  end = view.make(main, where, { leave }) ?? null;
  scrollTo(0, 0);
  if (focus) (main.querySelector("[data-focus]") ?? main.querySelector("h1") ?? main).focus({ preventScroll: true });
}

/** All words anew, in another language or after another sign-in. */
export function redraw() {
  unmount();
  fill(document.getElementById("app"), shell({ out: leave }));
  show();
}

