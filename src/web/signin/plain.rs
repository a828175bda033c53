//! The page without a script: sign in, change a password, see how the gateway is, sign out. Forms and nothing else, so that
//! it works in every browser, with a keyboard alone and with a screen reader.

use super::{Caller, SignedIn, Staff, Who, role::Act, with_session, without_session};
use crate::{
    domain::Say,
    health::{Health, HealthDoc},
    web::{api::Gateway, page::escaped, problem::Problem, words::Words},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use std::{collections::HashMap, sync::Arc};
use zeroize::Zeroizing;

const STYLE: &str = include_str!("plain.css");

/// What the handlers share.
#[derive(Clone)]
struct Plain {
    staff: Staff,
    health: Health,
    site: String,
    gateway: Arc<dyn Gateway>,
}

/// The routes `/plain`, `/signin`, `/signin/first`, `/password`, `/signout` and `/assets/plain.css`.
pub fn routes(staff: &Staff, health: &Health, site: &str, gateway: &Arc<dyn Gateway>) -> Router {
    let plain = Plain {
        staff: staff.clone(),
        health: health.clone(),
        site: site.to_owned(),
        gateway: Arc::clone(gateway),
    };
    let routes = Router::new()
        .route("/plain", get(home))
        .route("/signin", get(sign_in_page).post(sign_in))
        .route("/signin/first", post(first))
        .route("/password", post(password))
        .route("/signout", post(sign_out))
        .route("/assets/plain.css", get(style))
        .with_state(plain);
    #[cfg(feature = "oidc")]
    let routes = routes.merge(super::provider::routes(staff, Arc::clone(gateway)));
    routes
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

impl Plain {
    fn page(&self, words: &Words, status: StatusCode, title: &str, main: &str) -> Response {
        let language = words.language;
        let (title, site) = (escaped(title), escaped(&self.site));
        let html = format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\">\n<title>{title} – {site}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"stylesheet\" href=\"/assets/plain.css\"></head>\n\
             <body><header><p>{site}</p></header>\n<main><h1>{title}</h1>\n{main}</main></body></html>\n"
        );
        (status, Html(html)).into_response()
    }

    fn sign_in_form(&self, words: &Words, problem: Option<&Problem>) -> Response {
        let status = status_of(problem);
        let alert = alert(words, problem);
        if self.staff.is_empty() {
            let command = [("command", "<code>sudo doorward report</code>")];
            let main = format!(
                "{alert}<p>{}</p>\n<form method=\"post\" action=\"/signin/first\">\n{}{}{}<button>{}</button></form>\n",
                words.with("plain.first", &command),
                field("code", words.get("first.code"), "text", "one-time-code"),
                field("name", words.get("first.name"), "text", "username"),
                new_password(words, "password", "signin.password"),
                words.get("first.action"),
            );
            return self.page(words, status, words.get("first.title"), &main);
        }
        let main = format!(
            "{alert}<form method=\"post\" action=\"/signin\">\n{}{}<button>{}</button></form>\n",
            field("name", words.get("signin.name"), "text", "username"),
            field(
                "password",
                words.get("signin.password"),
                "password",
                "current-password"
            ),
            words.get("signin.action"),
        );
        let provider = self.gateway.config();
        let provider = provider.page.as_ref().and_then(|page| page.oidc.as_ref());
        let main = match provider.filter(|_| cfg!(feature = "oidc")) {
            Some(_) => {
                format!(
                    "{main}<p><a href=\"/signin/oidc\">{}</a></p>\n",
                    words.get("signin.oidc")
                )
            }
            None => main,
        };
        self.page(words, status, words.get("signin.title"), &main)
    }

    fn home(&self, words: &Words, who: &Who, problem: Option<&Problem>) -> Response {
        let mut main = alert(words, problem);
        let role = who.role.map_or("", |role| role.name());
        let (name, role) = (escaped(&who.name), words.get(&format!("role.{role}")).to_owned());
        let signed_in = words.with("plain.signed_in", &[("role", &role), ("name", &name)]);
        main += &format!("<p>{signed_in}</p>\n");
        if who.must_change {
            main += &format!("<p>{}</p>\n", words.get("plain.must"));
        } else if who.may(Act::ReadStatus) {
            main += &faults(words, &self.health.doc());
            main += &doors(words, &self.health.doc());
        }
        if who.role.is_some() && !who.name.starts_with("oidc:") {
            main += &format!(
                "<h2>{}</h2>\n<form method=\"post\" action=\"/password\">\n{}{}<button>{}</button></form>\n",
                words.get("password.title"),
                field("old", words.get("password.old"), "password", "current-password"),
                new_password(words, "new", "password.new"),
                words.get("password.action"),
            );
        }
        main += &format!(
            "<form method=\"post\" action=\"/signout\"><button>{}</button></form>\n<p><a href=\"/\">{}</a></p>\n",
            words.get("account.sign_out"),
            words.get("plain.full"),
        );
        self.page(words, status_of(problem), words.get("plain.title"), &main)
    }
}

/// A field for a password that is chosen, with the rule for it.
fn new_password(words: &Words, name: &str, label: &str) -> String {
    let label = format!("{}, {}", words.get(label), words.get("password.rule"));
    field(name, &label, "password", "new-password")
}

fn status_of(problem: Option<&Problem>) -> StatusCode {
    problem.map_or(StatusCode::OK, |problem| {
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST)
    })
}

fn alert(words: &Words, problem: Option<&Problem>) -> String {
    problem.map_or(String::new(), |problem| {
        let said = words.said(problem.say.as_deref(), &problem.detail);
        format!("<p role=\"alert\" class=\"bad\">{}</p>\n", escaped(&said))
    })
}

fn field(name: &str, label: &str, kind: &str, complete: &str) -> String {
    format!(
        "<p><label for=\"{name}\">{label}</label>\n\
         <input id=\"{name}\" name=\"{name}\" type=\"{kind}\" autocomplete=\"{complete}\" autocapitalize=\"none\" \
         spellcheck=\"false\" required></p>\n"
    )
}

fn faults(words: &Words, doc: &HealthDoc) -> String {
    let title = words.get("plain.faults");
    if doc.faults.is_empty() {
        let none = words.get("system.no_faults");
        return format!("<h2>{title}</h2>\n<p class=\"good\">{none}</p>\n");
    }
    let one = |fault: &crate::health::Fault| {
        let text = escaped(&fault.text);
        let say = Say::of_fault(&fault.key, &fault.text);
        let said = escaped(&words.said(say.as_ref(), ""));
        format!("<li>{said} <small lang=\"en\">{text}</small></li>\n")
    };
    let all: String = doc.faults.iter().map(one).collect();
    format!("<h2>{title}</h2>\n<ul class=\"bad\">\n{all}</ul>\n")
}

fn doors(words: &Words, doc: &HealthDoc) -> String {
    let doors = doc.sections.get("doors").and_then(serde_json::Value::as_object);
    let Some(doors) = doors.filter(|doors| !doors.is_empty()) else {
        return String::new();
    };
    let text = |door: &serde_json::Value, key: &str, room: &str| {
        let word = door.get(key).and_then(|it| it.as_str()).unwrap_or("");
        let known = format!("{room}{word}");
        let shown = words.get(&known);
        escaped(if shown == known { word } else { shown })
    };
    let row = |(id, door): (&String, &serde_json::Value)| {
        let locked = door.get("lockdown").and_then(serde_json::Value::as_bool) == Some(true);
        let lockdown = if locked { words.get("doors.lockdown") } else { "" };
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{lockdown}</td></tr>\n",
            escaped(id),
            text(door, "state", "door_state."),
            text(door, "contact", "plain.contact_"),
        )
    };
    let rows: String = doors.iter().map(row).collect();
    let heads = ["live.door", "plain.state", "plain.contact", "doors.lockdown"];
    let heads = heads.map(|key| format!("<th scope=\"col\">{}</th>", words.get(key)));
    format!(
        "<h2>{}</h2>\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n",
        words.get("nav.doors"),
        heads.concat(),
    )
}

/// The fields of a form. A password is in here and nowhere else.
struct Form(HashMap<String, Zeroizing<String>>);

impl Form {
    fn of(body: &Bytes) -> Self {
        let pairs = url::form_urlencoded::parse(body);
        Self(
            pairs
                .map(|(key, value)| (key.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }
    fn take(&mut self, key: &str) -> Zeroizing<String> {
        self.0.remove(key).unwrap_or_default()
    }
}

fn go_home(signed_in: &SignedIn) -> Response {
    with_session(Redirect::to("/plain").into_response(), signed_in)
}

async fn home(State(plain): State<Plain>, caller: Caller, headers: HeaderMap) -> Response {
    match &caller.who {
        Some(who) => plain.home(&Words::asked(&headers), who, None),
        None => Redirect::to("/signin").into_response(),
    }
}

async fn sign_in_page(State(plain): State<Plain>, headers: HeaderMap) -> Response {
    plain.sign_in_form(&Words::asked(&headers), None)
}

async fn sign_in(State(plain): State<Plain>, caller: Caller, headers: HeaderMap, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (name, password) = (form.take("name"), form.take("password"));
    match plain.staff.sign_in(&name, password, caller.address).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(
            plain.sign_in_form(&Words::asked(&headers), Some(&problem)),
            &problem,
        ),
    }
}

async fn first(State(plain): State<Plain>, caller: Caller, headers: HeaderMap, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (code, name, password) = (form.take("code"), form.take("name"), form.take("password"));
    match plain.staff.first(&code, &name, password, caller.address).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(
            plain.sign_in_form(&Words::asked(&headers), Some(&problem)),
            &problem,
        ),
    }
}

async fn password(State(plain): State<Plain>, who: Who, headers: HeaderMap, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (old, new) = (form.take("old"), form.take("new"));
    match plain.staff.change_password(&who, old, new).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(
            plain.home(&Words::asked(&headers), &who, Some(&problem)),
            &problem,
        ),
    }
}

async fn sign_out(State(plain): State<Plain>, caller: Caller) -> Response {
    if let Some(who) = &caller.who {
        plain.staff.sign_out(who).await;
    }
    without_session(Redirect::to("/signin").into_response())
}

fn later(mut answer: Response, problem: &Problem) -> Response {
    if let Some(seconds) = problem.retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_text() {
        assert_eq!(escaped("<b a='1'>&\u{1b}"), "&lt;b a=&#39;1&#39;&gt;&amp; ");
        let mut doc = HealthDoc::default();
        let key = "<script>";
        doc.sections.insert(
            "doors",
            serde_json::json!({ key: { "state": key, "lockdown": true } }),
        );
        let shown = doors(&Words::asked(&HeaderMap::new()), &doc);
        assert!(!shown.contains(key) && shown.contains("Lockdown"), "{shown}");
    }
}
