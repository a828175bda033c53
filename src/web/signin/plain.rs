//! The page without a script: sign in, change a password, see how the gateway is, sign out. Forms and nothing else, so that
//! it works in every browser, with a keyboard alone and with a screen reader.

use super::{Caller, SignedIn, Staff, Who, role::Act, with_session, without_session};
use crate::{
    health::{Health, HealthDoc},
    web::{api::Gateway, page::escaped, problem::Problem},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, StatusCode, header},
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
    fn page(&self, status: StatusCode, title: &str, main: &str) -> Response {
        let (title, site) = (escaped(title), escaped(&self.site));
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n<title>{title} – {site}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"stylesheet\" href=\"/assets/plain.css\"></head>\n\
             <body><header><p>{site}</p></header>\n<main><h1>{title}</h1>\n{main}</main></body></html>\n"
        );
        (status, Html(html)).into_response()
    }

    fn sign_in_form(&self, problem: Option<&Problem>) -> Response {
        let status = status_of(problem);
        let alert = alert(problem);
        if self.staff.is_empty() {
            let main = format!(
                "{alert}<p>Nobody has an account yet. <code>sudo doorward report</code> on the gateway shows the code for the \
                 first one.</p>\n<form method=\"post\" action=\"/signin/first\">\n{}{}{}\
                 <button>Make the first account</button></form>\n",
                field("code", "Code", "text", "one-time-code"),
                field("name", "Name or e-mail of the new account", "text", "username"),
                field(
                    "password",
                    "Password, 12 characters or more",
                    "password",
                    "new-password"
                ),
            );
            return self.page(status, "First account", &main);
        }
        let main = format!(
            "{alert}<form method=\"post\" action=\"/signin\">\n{}{}<button>Sign in</button></form>\n",
            field("name", "Name", "text", "username"),
            field("password", "Password", "password", "current-password"),
        );
        let provider = self.gateway.config();
        let provider = provider.page.as_ref().and_then(|page| page.oidc.as_ref());
        let main = match provider.filter(|_| cfg!(feature = "oidc")) {
            Some(_) => {
                format!("{main}<p><a href=\"/signin/oidc\">Sign in by the space's own login</a></p>\n")
            }
            None => main,
        };
        self.page(status, "Sign in", &main)
    }

    fn home(&self, who: &Who, problem: Option<&Problem>) -> Response {
        let mut main = alert(problem);
        let role = who.role.map_or("", |role| role.name());
        main += &format!("<p>Signed in as {}, {role}.</p>\n", escaped(&who.name));
        if who.must_change {
            main += "<p>Your password was made by somebody else: change it now.</p>\n";
        } else if who.may(Act::ReadStatus) {
            main += &faults(&self.health.doc());
            main += &doors(&self.health.doc());
        }
        if who.role.is_some() && !who.name.starts_with("oidc:") {
            main += &format!(
                "<h2>Change the password</h2>\n<form method=\"post\" action=\"/password\">\n{}{}\
                 <button>Change it</button></form>\n",
                field("old", "Old password", "password", "current-password"),
                field(
                    "new",
                    "New password, 12 characters or more",
                    "password",
                    "new-password"
                ),
            );
        }
        main += "<form method=\"post\" action=\"/signout\"><button>Sign out</button></form>\n";
        self.page(status_of(problem), "How the gateway is", &main)
    }
}

fn status_of(problem: Option<&Problem>) -> StatusCode {
    problem.map_or(StatusCode::OK, |problem| {
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST)
    })
}

fn alert(problem: Option<&Problem>) -> String {
    problem.map_or(String::new(), |problem| {
        format!(
            "<p role=\"alert\" class=\"bad\">{}</p>\n",
            escaped(&problem.detail)
        )
    })
}

fn field(name: &str, label: &str, kind: &str, complete: &str) -> String {
    format!(
        "<p><label for=\"{name}\">{label}</label>\n\
         <input id=\"{name}\" name=\"{name}\" type=\"{kind}\" autocomplete=\"{complete}\" autocapitalize=\"none\" \
         spellcheck=\"false\" required></p>\n"
    )
}

fn faults(doc: &HealthDoc) -> String {
    if doc.faults.is_empty() {
        return "<h2>Faults</h2>\n<p class=\"good\">No faults.</p>\n".into();
    }
    let one = |fault: &crate::health::Fault| format!("<li>{}</li>\n", escaped(&fault.text));
    let all: String = doc.faults.iter().map(one).collect();
    format!("<h2>Faults</h2>\n<ul class=\"bad\">\n{all}</ul>\n")
}

fn doors(doc: &HealthDoc) -> String {
    let doors = doc.sections.get("doors").and_then(serde_json::Value::as_object);
    let Some(doors) = doors.filter(|doors| !doors.is_empty()) else {
        return String::new();
    };
    let text =
        |door: &serde_json::Value, key: &str| escaped(door.get(key).and_then(|it| it.as_str()).unwrap_or(""));
    let row = |(id, door): (&String, &serde_json::Value)| {
        let locked = door.get("lockdown").and_then(serde_json::Value::as_bool) == Some(true);
        let lockdown = if locked { "lockdown" } else { "" };
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{lockdown}</td></tr>\n",
            escaped(id),
            text(door, "state"),
            text(door, "contact"),
        )
    };
    let rows: String = doors.iter().map(row).collect();
    format!(
        "<h2>Doors</h2>\n<table>\n<thead><tr><th scope=\"col\">Door</th><th scope=\"col\">State</th>\
         <th scope=\"col\">Contact</th><th scope=\"col\">Lockdown</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
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

async fn home(State(plain): State<Plain>, caller: Caller) -> Response {
    match &caller.who {
        Some(who) => plain.home(who, None),
        None => Redirect::to("/signin").into_response(),
    }
}

async fn sign_in_page(State(plain): State<Plain>) -> Response {
    plain.sign_in_form(None)
}

async fn sign_in(State(plain): State<Plain>, caller: Caller, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (name, password) = (form.take("name"), form.take("password"));
    match plain.staff.sign_in(&name, password, caller.address).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(plain.sign_in_form(Some(&problem)), &problem),
    }
}

async fn first(State(plain): State<Plain>, caller: Caller, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (code, name, password) = (form.take("code"), form.take("name"), form.take("password"));
    match plain.staff.first(&code, &name, password, caller.address).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(plain.sign_in_form(Some(&problem)), &problem),
    }
}

async fn password(State(plain): State<Plain>, who: Who, body: Bytes) -> Response {
    let mut form = Form::of(&body);
    let (old, new) = (form.take("old"), form.take("new"));
    match plain.staff.change_password(&who, old, new).await {
        Ok(signed_in) => go_home(&signed_in),
        Err(problem) => later(plain.home(&who, Some(&problem)), &problem),
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
        assert!(!doors(&doc).contains(key) && doors(&doc).contains("lockdown"));
    }
}
