//! An answer before it becomes bytes, and what bodies must be.

use super::{faults::Codes, state::State};
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(String, String)>,
    /// The connection is cut after so many bytes of the body; 0 sends nothing at all.
    pub(super) cut: Option<usize>,
    /// It never leaves, and the connection stands.
    pub(super) silent: bool,
}

/// A request that is not done, in KS's words.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    message: String,
}

/// A request that may be refused.
pub(super) type Answer = Result<Reply, Refusal>;

pub(super) const fn status(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(status) => status,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Refusal {
    fn new(code: u16, ks: u32, message: impl Into<String>) -> Self {
        Self {
            status: status(code),
            code: ks,
            message: message.into(),
        }
    }
    /// 400 1100.
    pub(super) fn field(message: impl Into<String>) -> Self {
        Self::new(400, 1_100, message)
    }
    /// 400 1101.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, 1_101, message)
    }
    /// 400 1102.
    pub(super) fn query(message: impl Into<String>) -> Self {
        Self::new(400, 1_102, message)
    }
    /// 404 2202.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, 2_202, format!("{what} not found"))
    }
    /// 404 2202 with these words.
    pub(super) fn no_otp() -> Self {
        Self::new(404, 2_202, "Otp is invalid")
    }
    /// 403 2203.
    pub(super) fn forbidden() -> Self {
        Self::new(
            403,
            2_203,
            "User does not have permission for this operation on this user",
        )
    }
    /// 3102, as a number always.
    pub(super) fn otp(blocked: bool) -> Self {
        if blocked {
            Self::new(403, 3_102, "otp_blocked")
        } else {
            Self::new(400, 3_102, "otp_invalid")
        }
    }
    /// The bytes.
    pub(super) fn reply(self, state: &mut State) -> Reply {
        state.answers += 1;
        let as_text = match state.manners.codes {
            _ if self.code == 3_102 => false,
            Codes::Texts => true,
            Codes::Numbers => false,
            Codes::Alternating => state.answers.is_multiple_of(2),
        };
        let code = if as_text {
            json!(self.code.to_string())
        } else {
            json!(self.code)
        };
        Reply::json(
            self.status.as_u16(),
            &json!({"ErrorCode": code, "Message": self.message}),
        )
    }
}

impl Reply {
    pub(super) fn json(code: u16, body: &Value) -> Self {
        Self {
            status: status(code),
            body: body.to_string().into_bytes(),
            headers: Vec::new(),
            cut: None,
            silent: false,
        }
    }
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }
    pub(super) fn empty(code: u16) -> Self {
        Self {
            body: Vec::new(),
            ..Self::json(code, &Value::Null)
        }
    }
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    /// The connection stands without an answer.
    pub(super) fn silent() -> Self {
        Self {
            silent: true,
            ..Self::empty(200)
        }
    }
    /// The connection ends without an answer.
    pub(super) fn lost() -> Self {
        Self {
            cut: Some(0),
            ..Self::empty(200)
        }
    }
}

/// A request with everything that matters of it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    /// The value of `CLP-Continuation-Token`.
    pub(super) continuation: Option<String>,
    pub(super) is_form: bool,
    pub(super) host: String,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Query parameters in their order, decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        pairs(&self.query)
    }
    /// One of them.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.pairs()
            .into_iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }
    /// The fields of a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let uri = format!("/?{query}").parse().unwrap_or_default();
    axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
        .map(|pairs| pairs.0)
        .unwrap_or_default()
}

/// The fields of a body that must be an object with known fields only.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(request: &Request, known: &[&str], required: &[&str]) -> Result<Self, Refusal> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(&request.body) else {
            return Err(Refusal::field("A body is required"));
        };
        if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Refusal::validation(format!(
                "{unknown} is not a field of this request"
            )));
        }
        let absent = |name: &&&str| fields.get(**name).is_none_or(Value::is_null);
        if let Some(missing) = required.iter().find(absent) {
            return Err(Refusal::field(format!("{missing} is required")));
        }
        Ok(Self(fields))
    }
    /// Whether the field is there, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
    /// A text; `None` if absent or null.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::validation(format!("{name} must be a text"))),
        }
    }
    /// A flag.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::validation(format!("{name} must be true or false"))),
        }
    }
    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or_else(|| Refusal::validation(format!("{name} must be a number"))),
        }
    }
    /// Texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let wrong = || Refusal::validation(format!("{name} must be a list of ids"));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }
}
