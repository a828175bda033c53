//! Its own quirks, each shown: the facts that scenarios lean on.

use super::{
    CLIENT, CLIENT_SECRET, Codes, Faults, Ks, PASSWORD, SITE_UID, Shape, Trap, USERNAME, api, identity,
    reply::{Reply, Request},
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;

/// A caller without sockets.
pub(super) struct Caller {
    pub(super) ks: Ks,
    token: String,
}

pub(super) fn request(method: &str, path: &str, body: &[u8]) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: None,
        continuation: None,
        is_form: true,
        host: "ks.example.org".into(),
        scheme: "http",
        body: body.to_vec(),
    }
}

pub(super) fn value(reply: &Reply) -> (u16, Value) {
    (
        reply.status.as_u16(),
        serde_json::from_slice(&reply.body).unwrap_or_default(),
    )
}

fn token(ks: &Ks, form: &str) -> (u16, Value) {
    let basic = STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}"));
    let mut request = request("POST", "/connect/token", form.as_bytes());
    request.authorization = Some(format!("Basic {basic}"));
    value(&ks.with(|state| identity::answer(state, &request)))
}

fn password(scope: &str) -> String {
    format!("grant_type=password&username={USERNAME}&password={PASSWORD}&scope={scope}")
}

impl Caller {
    pub(super) fn new() -> Self {
        let ks = Ks::start().unwrap();
        ks.manners(|manners| {
            manners.users = Shape::Paged;
            manners.codes = Codes::Numbers;
        });
        let mut caller = Self {
            ks,
            token: String::new(),
        };
        caller.sign_in();
        caller
    }

    pub(super) fn sign_in(&mut self) {
        let (_, answer) = token(&self.ks, &password("user_api.full_access"));
        self.token = text(&answer, "/access_token").to_owned();
    }

    pub(super) fn raw(&self, mut request: Request) -> Reply {
        request.authorization = Some(format!("Bearer {}", self.token));
        self.ks.with(|state| api::answer(state, &request))
    }

    /// Below the site, with the version.
    pub(super) fn ask(&self, method: &str, version: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("/{version}/sites/{}{path}", self.ks.site());
        value(&self.raw(request(method, &path, body.as_bytes())))
    }

    pub(super) fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", "v1.2", path, &Value::Null)
    }

    fn role(&self) -> String {
        self.ks.with(|state| state.roles[0].0.clone())
    }

    pub(super) fn create(&self, name: &str) -> (u16, Value) {
        let (first, last) = name.split_once(' ').unwrap();
        let body = json!({"first_name": first, "last_name": last, "alias": name, "role_ids": [self.role()]});
        self.ask("POST", "v1.2", "/users", &body)
    }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[track_caller]
pub(super) fn refused(answer: (u16, Value), status: u16, code: u32) {
    assert_eq!(
        (answer.0, answer.1["ErrorCode"].as_u64()),
        (status, Some(code.into())),
        "{answer:?}"
    );
}

#[test]
fn tokens_last_an_hour_and_a_refresh_token_is_good_once() {
    let ks = Ks::start().unwrap();
    let (status, answer) = token(&ks, &password("user_api.full_access+offline_access"));
    assert_eq!((status, answer["expires_in"].as_i64()), (200, Some(3_600)));
    let access = text(&answer, "/access_token").to_owned();
    let head = URL_SAFE_NO_PAD.decode(access.split('.').next().unwrap()).unwrap();
    assert!(String::from_utf8(head).unwrap().contains("at+jwt"));
    let refresh = format!(
        "grant_type=refresh_token&refresh_token={}",
        text(&answer, "/refresh_token")
    );
    assert_eq!(token(&ks, &refresh).0, 200);
    assert_eq!(token(&ks, &refresh).1["error"], "invalid_grant");
    assert!(ks.with(|state| state.token_is_good(&access)));
    ks.advance(Duration::from_secs(3_601));
    assert!(!ks.with(|state| state.token_is_good(&access)));
    for scope in ["core_api.full", "user_api.full_access+hardware_api", "openid"] {
        assert_eq!(
            token(&ks, &password(scope)).1["error"],
            "invalid_scope",
            "{scope}"
        );
    }
    let wrong = password("user_api.full_access").replace(PASSWORD, "guess");
    assert_eq!(token(&ks, &wrong).1["error"], "invalid_grant");
}

#[test]
fn a_code_needs_its_verifier_and_is_good_once() {
    let ks = Ks::start().unwrap();
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()));
    let redirect = "http%3A%2F%2F127.0.0.1%3A8080%2Fks%2Fback";
    let asked = format!(
        "http://ks/connect/authorize?response_type=code&client_id={CLIENT}&redirect_uri={redirect}&state=s%201\
         &scope=openid+user_api.full_access+offline_access&code_challenge={challenge}&code_challenge_method=S256"
    );
    let back = |ks: &Ks| ks.log_in(&asked).unwrap();
    let location = back(&ks);
    assert!(
        location.starts_with("http://127.0.0.1:8080/ks/back?code=code-"),
        "{location}"
    );
    assert!(location.ends_with("&state=s%201"), "{location}");
    let code = |location: &str| {
        location
            .split_once("code=")
            .unwrap()
            .1
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    let form = |code: &str, verifier: &str| {
        format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={verifier}")
    };
    let first = code(&location);
    assert_eq!(token(&ks, &form(&first, &verifier)).0, 200);
    assert_eq!(token(&ks, &form(&first, &verifier)).1["error"], "invalid_grant");
    let second = code(&back(&ks));
    assert_eq!(
        token(&ks, &form(&second, &"w".repeat(43))).1["error"],
        "invalid_grant"
    );
    let without = asked.replace("&code_challenge_method=S256", "");
    assert!(ks.log_in(&without).unwrap().contains("error=invalid_request"));
}

#[test]
fn a_site_is_its_uuid_and_entries_are_of_the_older_version() {
    let caller = Caller::new();
    let path = format!("/v1.2/sites/{SITE_UID}/users");
    refused(value(&caller.raw(request("GET", &path, b""))), 400, 1_100);
    let sites = value(&caller.raw(request("GET", "/v1.2/sites", b"")));
    assert!(sites.1.is_array(), "{sites:?}");
    assert_eq!(caller.get("/entries").0, 405);
    assert_eq!(caller.ask("GET", "v1.1", "/entries", &Value::Null).0, 200);
    refused(
        caller.ask("GET", "v1.1", "/entries?$orderby=date", &Value::Null),
        400,
        1_102,
    );
    let mut other = caller;
    other.token = "at-nothing".into();
    assert_eq!(other.get("/users").0, 401);
}

#[test]
fn a_list_is_an_array_or_pages_and_is_filtered() {
    let caller = Caller::new();
    for name in ["Ana Ruiz", "Ben O'Hara", "Chiara Neri"] {
        assert_eq!(caller.create(name).0, 201);
    }
    let (_, page) = caller.get("/users?$top=2&$inlinecount=allpages");
    assert_eq!(
        (page["items"].as_array().unwrap().len(), page["count"].as_i64()),
        (2, Some(5))
    );
    let next = text(&page, "/next_page_link")
        .strip_prefix("http://ks.example.org")
        .unwrap()
        .to_owned();
    let (_, rest) = value(&caller.raw(request("GET", &next, b"")));
    assert_eq!(rest["items"].as_array().unwrap().len(), 2, "{next}");
    for (filter, count) in [
        ("alias%20eq%20'Ben%20O''Hara'", 1),
        ("(alias%20eq%20'Nobody')", 0),
        ("contains(alias,'ana')", 1),
        ("(contains(alias,'a')%20and%20blocked%20eq%20false)", 5),
    ] {
        let (status, found) = caller.get(&format!("/users?$filter={filter}"));
        assert_eq!(
            (status, found["items"].as_array().unwrap().len()),
            (200, count),
            "{filter}"
        );
    }
    refused(caller.get("/users?$filter=shoe_size%20eq%20'42'"), 400, 1_102);
    caller.ks.manners(|manners| manners.users = Shape::Alternating);
    let shapes = [
        caller.get("/users").1.is_array(),
        caller.get("/users").1.is_array(),
    ];
    assert_ne!(shapes[0], shapes[1]);
}

#[test]
fn a_member_is_named_by_the_platforms_id() {
    let caller = Caller::new();
    let (_, ana) = caller.create("Ana Ruiz");
    let (status, group) = caller.ask(
        "POST",
        "v1.2",
        "/access_groups",
        &json!({"customer_reference": "Doorward members"}),
    );
    assert_eq!(status, 200);
    let users = format!("/access_groups/{}/users", text(&group, "/id"));
    refused(
        caller.ask("POST", "v1.2", &users, &json!({"user_id": ana["id"]})),
        404,
        2_202,
    );
    assert_eq!(
        caller
            .ask("POST", "v1.2", &users, &json!({"user_id": ana["user"]["id"]}))
            .0,
        200
    );
    assert_eq!(caller.ks.members("Doorward members"), ["Ana Ruiz"]);
    assert_eq!(caller.get(&users).1["items"][0]["id"], ana["user"]["id"]);
}

#[test]
fn bodies_are_read_strictly() {
    let caller = Caller::new();
    let all = json!({"first_name": "A", "last_name": "B", "alias": "A B", "role_ids": [caller.role()]});
    let with = |name: &str, value: Value| {
        let mut body = all.clone();
        body[name] = value;
        caller.ask("POST", "v1.2", "/users", &body)
    };
    refused(with("firstName", json!("A")), 400, 1_101);
    refused(with("alias", Value::Null), 400, 1_100);
    refused(
        with("role_ids", json!(["00000000-5a17-4000-8000-000000000000"])),
        404,
        2_202,
    );
    let body = json!({"subscription_state": "suspended"});
    let (_, ana) = caller.create("Ana Ruiz");
    let path = format!("/users/{}/subscription", text(&ana, "/id"));
    refused(caller.ask("PATCH", "v1.2", &path, &body), 400, 1_101);
}

#[test]
fn above_the_seats_somebody_is_made_and_suspended() {
    let caller = Caller::new();
    caller.ks.set_seats(3);
    assert_eq!(caller.create("Ana Ruiz").1["subscription_state"], "subscribed");
    let (status, ben) = caller.create("Ben Okafor");
    assert_eq!((status, text(&ben, "/subscription_state")), (201, "suspended"));
    let path = format!("/users/{}", text(&ben, "/id"));
    let subscribe = format!("{path}/subscription");
    // Without a free seat nothing happens and nothing says so.
    assert_eq!(
        caller
            .ask("PATCH", "v1.2", &subscribe, &json!({"state": "subscribed"}))
            .0,
        204
    );
    assert_eq!(caller.get(&path).1["subscription_state"], "suspended");
    let ana = caller.ks.user("Ana Ruiz").unwrap();
    let gone = caller.ask("DELETE", "v1.2", &format!("/users/{}", ana.id), &Value::Null);
    assert_eq!(gone.0, 202);
    caller.ask("PATCH", "v1.2", &subscribe, &json!({"state": "subscribed"}));
    assert_eq!(caller.get(&path).1["subscription_state"], "subscribed");
}

#[test]
fn what_is_new_is_refused_for_a_while() {
    let caller = Caller::new();
    caller.ks.manners(|manners| manners.spread_tries = 1);
    let (_, ana) = caller.create("Ana Ruiz");
    let path = format!("/users/{}", text(&ana, "/id"));
    refused(
        caller.ask("PATCH", "v1.2", &path, &json!({"blocked": true})),
        403,
        2_203,
    );
    assert_eq!(
        caller.ask("PATCH", "v1.2", &path, &json!({"blocked": true})).0,
        200
    );
    caller.ks.manners(|manners| {
        manners.spread_tries = 0;
        manners.spread = Duration::from_secs(60);
        manners.spread_lists = true;
    });
    let (_, ben) = caller.create("Ben Okafor");
    let users = format!("/access_groups/{}/users", caller.ks.groups()[0].id);
    let body = json!({"user_id": ben["user"]["id"]});
    refused(caller.ask("POST", "v1.2", &users, &body), 404, 2_202);
    assert_eq!(caller.get("/users").1["items"].as_array().unwrap().len(), 3);
    caller.ks.advance(Duration::from_secs(61));
    assert_eq!(caller.ask("POST", "v1.2", &users, &body).0, 200);
    assert_eq!(caller.get("/users").1["items"].as_array().unwrap().len(), 4);
}

#[test]
fn the_nth_change_is_lost_before_it_is_done_or_after() {
    for done in [false, true] {
        let caller = Caller::new();
        caller.ks.faults(Faults {
            trap: Some(Trap {
                nth: 2,
                done,
                then_away: true,
            }),
            ..Faults::default()
        });
        assert_eq!(caller.create("Ana Ruiz").0, 201);
        let group = json!({"customer_reference": "Doorward members"}).to_string();
        let path = format!("/v1.2/sites/{}/access_groups", caller.ks.site());
        let lost = caller.raw(request("POST", &path, group.as_bytes()));
        assert_eq!((lost.cut, caller.ks.sprung()), (Some(0), true));
        assert_eq!(caller.raw(request("GET", &path, b"")).cut, Some(0));
        caller.ks.faults(Faults::default());
        assert_eq!(caller.ks.groups().len(), if done { 2 } else { 1 });
    }
}

#[test]
fn error_codes_are_texts_and_numbers() {
    let caller = Caller::new();
    caller.ks.manners(|manners| manners.codes = Codes::Alternating);
    let code = || caller.get("/users/5").1["ErrorCode"].is_string();
    assert_ne!(code(), code());
    caller.ks.faults(Faults {
        throttle: Some(7),
        ..Faults::default()
    });
    let path = format!("/v1.2/sites/{}/users", caller.ks.site());
    let reply = caller.raw(request("GET", &path, b""));
    let wait = reply
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")
        .map(|(_, wait)| wait.as_str());
    assert_eq!((reply.status.as_u16(), wait), (429, Some("7")));
}
