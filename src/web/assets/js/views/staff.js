// Accounts, tokens for the building network, and who did what.
import { h, add, fill } from "../dom.js";
import { del, get, id, patch, post, query } from "../api.js";
import { has, t, when, whole } from "../i18n.js";
import { me } from "../state.js";
import { button, into, nothing, tag, since } from "../parts/bits.js";
import { confirm, field, form, secret } from "../parts/dialog.js";
import { done } from "../parts/toast.js";

const ROLES = ["viewer", "desk", "manager", "installer"];
const mine = () => ROLES.slice(0, ROLES.indexOf(me.role) + 1);
const roleSelect = (value) => h("select", { value, data: { test: "role" } }, mine().map((role) => h("option", { value: role }, t(`role.${role}`))));

/** A table that becomes a list of cards where it is narrow. */
function table(caption, heads, rows, test) {
  return h("div", { class: "table-box" }, h("table", { data: { test } }, h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, at) => h(at ? "td" : "th", { scope: at ? null : "row", data: { label: heads[at] } }, cell)))))));
}

export function staffView(root) {
  const place = h("div", {});
  const load = () => into(place, async () => {
    const all = await get("/api/v1/staff");
    return table(t("system.staff"), [t("staff.name"), t("staff.role"), t("staff.sessions"), t("staff.made"), t("staff.actions")],
      all.map((account) => [
        h("span", {}, account.name, account.must_change && [" ", tag("warn", "keys", t("staff.must_change"))]), t(`role.${account.role}`), String(account.sessions),
        h("span", { class: "soft small" }, when(account.created), " · ", account.by), h("div", { class: "row tight" }, actions(account, load)),
      ]), "staff");
  });
  const addOne = async () => {
    const name = h("input", { required: true, maxlength: 64, autocapitalize: "none", spellcheck: "false", autocomplete: "off", data: { test: "staff-name" } });
    const role = roleSelect("desk");
    const made = await form(t("staff.add"), [field(t("staff.name"), name, t("staff.name_hint")), field(t("staff.role"), role, t(`role_may.${role.value}`))], t("staff.add"),
      () => post("/api/v1/staff", { name: name.value.trim(), role: role.value }));
    if (!made) return;
    load();
    await secret(t("staff.password_of", { name: made.name }), t("staff.password_text"), made.secret);
  };
  add(root, h("div", { class: "row" }, button(t("staff.add"), addOne, { look: "main", mark: "account", test: "add-staff" })), place);
  load();
}

function actions(account, load) {
  if (ROLES.indexOf(account.role) > ROLES.indexOf(me.role)) return null;
  const name = account.name;
  const role = roleSelect(account.role);
  role.setAttribute("aria-label", t("staff.role_of", { name }));
  role.addEventListener("change", async () => {
    const wanted = role.value;
    if (!(await confirm(t("staff.role_of", { name }), t("staff.role_text", { role: t(`role.${wanted}`), name }), t("staff.role_change")))) return void (role.value = account.role);
    await run(() => patch(`/api/v1/staff/${id(name)}`, { role: wanted }), t("staff.changed", { name }));
  });
  const run = async (work, words) => {
    try {
      await work();
      done(words);
    } finally {
      load();
    }
  };
  return [
    name !== me.name && role,
    button(t("staff.reset"), async () => {
      if (!(await confirm(t("staff.reset"), t("staff.reset_text", { name }), t("staff.reset")))) return;
      const made = await post(`/api/v1/staff/${id(name)}/password`);
      load();
      await secret(t("staff.password_of", { name }), t("staff.password_text"), made.secret);
    }, { test: "reset" }),
    button(t("staff.sign_out"), async () => run(() => del(`/api/v1/staff/${id(name)}/sessions`), t("staff.signed_out", { name })), { test: "sign-out-them" }),
    name !== me.name && button(t("staff.remove"), async () => {
      if (!(await confirm(t("staff.remove"), t("staff.remove_text", { name }), t("staff.remove"), { danger: true }))) return;
      await run(() => del(`/api/v1/staff/${id(name)}`), t("staff.removed", { name }));
    }, { look: "danger soft", test: "remove-staff" }),
  ];
}

const SCOPES = ["status:read", "events:read", "doors:read", "people:read", "cards:write", "doors:open", "doors:lockdown", "sync:run", "audit:read"];

export function tokensView(root) {
  const place = h("div", {});
  const load = () => into(place, async () => {
    const all = await get("/api/v1/tokens");
    if (!all.length) return nothing("keys", t("tokens.none"), t("tokens.none_more"));
    return table(t("system.tokens"), [t("staff.name"), t("tokens.may"), t("tokens.used"), t("staff.made"), t("staff.actions")], all.map((token) => [
      token.name, h("span", { class: "small" }, token.scopes.map((scope) => t(`scope.${scope}`)).join(", ")), token.used ? since(token.used) : t("tokens.never"),
      h("span", { class: "soft small" }, when(token.created), " · ", token.by),
      button(t("tokens.revoke"), async () => {
        if (!(await confirm(t("tokens.revoke"), t("tokens.revoke_text", { name: token.name }), t("tokens.revoke"), { danger: true }))) return;
        await del(`/api/v1/tokens/${id(token.name)}`);
        done(t("tokens.revoked", { name: token.name }));
        load();
      }, { look: "danger soft", test: "revoke" }),
    ]), "tokens");
  });
  const addOne = async () => {
    const name = h("input", { required: true, maxlength: 64, autocapitalize: "none", spellcheck: "false", autocomplete: "off", data: { test: "token-name" } });
    const boxes = SCOPES.map((scope) => h("label", { class: "check" }, h("input", { type: "checkbox", value: scope }), h("span", {}, t(`scope.${scope}`))));
    const made = await form(t("tokens.add"), [field(t("staff.name"), name), h("fieldset", { class: "checks" }, h("legend", {}, t("tokens.may")), boxes)], t("tokens.add"),
      () => post("/api/v1/tokens", { name: name.value.trim(), scopes: boxes.map((box) => box.firstChild).filter((box) => box.checked).map((box) => box.value) }));
    if (!made) return;
    load();
    await secret(t("tokens.secret_of", { name: made.name }), t("tokens.secret_text"), made.secret);
  };
  add(root, h("div", { class: "row" }, button(t("tokens.add"), addOne, { look: "main", mark: "keys", test: "add-token" })), place);
  load();
}

/** What became of it, in words. */
function outcome(said) {
  const key = `outcome.${said.replaceAll(" ", "_")}`;
  return has(key) ? t(key) : said;
}

export function auditView(root) {
  const place = h("div", {});
  const body = h("tbody");
  let next = null;
  const older = h("button", { type: "button", class: "plain", hidden: true, on: { click: () => void more() } }, t("common.older"));
  const heads = [t("audit.when"), t("audit.who"), t("audit.what"), t("audit.about"), t("audit.outcome")];
  const rowOf = (it) => h("tr", {},
    [h("time", { datetime: it.time, title: whole(it.time) }, when(it.time)), h("span", {}, it.actor, h("span", { class: "soft small" }, " ", [has(`role.${it.role}`) ? t(`role.${it.role}`) : it.role, it.address].filter(Boolean).join(" · "))),
      h("span", { class: "mono small" }, it.action), it.subject, it.outcome === "done" ? tag("good", "check", t("audit.done")) : tag("bad", "refused", outcome(it.outcome))]
      .map((cell, at) => h(at ? "td" : "th", { scope: at ? null : "row", data: { label: heads[at] } }, cell)));
  async function more() {
    const page = await get(query("/api/v1/audit", { cursor: next, limit: 50 }));
    add(body, page.records.map(rowOf));
    next = page.next;
    older.hidden = next === null;
  }
  add(root, h("p", { class: "soft" }, t("audit.text")), place, h("p", { class: "center" }, older));
  into(place, async () => {
    fill(body);
    next = null;
    await more();
    return h("div", { class: "table-box" }, h("table", { data: { test: "audit" } }, h("caption", { class: "unseen" }, t("system.audit")),
      h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)))), body));
  });
}
