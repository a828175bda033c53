//! Lists: the OData of the second kind that KS understands a part of, and the two shapes in which they come.

use super::{
    faults::Shape,
    reply::{Answer, Refusal, Reply, Request},
    state::State,
};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// One condition of a `$filter`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// `field op value`.
    Compare(String, Op, Value),
    /// `contains(field,'text')`.
    Contains(String, String),
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
}

/// What was asked of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) top: Option<usize>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Option<(String, bool)>,
    pub(super) counted: bool,
    pub(super) skip: usize,
    pub(super) follows: bool,
}

/// Reads the query; what is not understood is refused.
pub(super) fn wanted(request: &Request, fields: &[&str]) -> Result<Wanted, Refusal> {
    let mut wanted = Wanted::default();
    for (key, value) in request.pairs() {
        match key.as_str() {
            "$top" => {
                let top = value.parse().ok().filter(|top| *top > 0);
                wanted.top = Some(top.ok_or_else(|| Refusal::query("$top is not valid"))?);
            }
            "$inlinecount" if value == "allpages" => wanted.counted = true,
            "$skiptoken" => {
                wanted.skip = value
                    .strip_prefix("at-")
                    .and_then(|at| at.parse().ok())
                    .ok_or_else(|| Refusal::query("$skiptoken is not valid"))?;
                wanted.follows = true;
            }
            "$orderby" => {
                let mut words = value.split_whitespace();
                let field = words.next().unwrap_or_default();
                let down = match words.next() {
                    None | Some("asc") => false,
                    Some("desc") => true,
                    Some(_) => return Err(Refusal::query("$orderby is not valid")),
                };
                if !fields.contains(&field) {
                    return Err(Refusal::query(format!("$orderby cannot be {field}")));
                }
                wanted.order = Some((field.to_owned(), down));
            }
            "$filter" => wanted.conditions = filter(&value, fields)?,
            other => return Err(Refusal::query(format!("{other} is not a parameter"))),
        }
    }
    Ok(wanted)
}

fn filter(text: &str, fields: &[&str]) -> Result<Vec<Condition>, Refusal> {
    clauses(text.trim())
        .into_iter()
        .map(|clause| condition(bare(clause), fields))
        .collect()
}

/// The parts between ` and `, but not within quotes.
fn clauses(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        quoted ^= letter == '\'';
        let rest = text.get(at..).unwrap_or_default();
        if !quoted && at >= begin && rest.starts_with(" and ") {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at + " and ".len();
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// Without the brackets around it, or those that a part of a whole still has.
fn bare(clause: &str) -> &str {
    let clause = clause.trim().trim_start_matches('(');
    let end = match clause.strip_prefix("contains(") {
        Some(_) => clause.rfind("')").map_or(clause.len(), |at| at + 2),
        None => clause.trim_end_matches(')').len(),
    };
    clause.get(..end).unwrap_or_default().trim()
}

fn condition(text: &str, fields: &[&str]) -> Result<Condition, Refusal> {
    let wrong = || Refusal::query(format!("$filter is not valid: {text}"));
    let known = |field: &str| {
        fields
            .contains(&field)
            .then(|| field.to_owned())
            .ok_or_else(wrong)
    };
    if let Some(inside) = text
        .strip_prefix("contains(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (field, value) = inside.split_once(',').ok_or_else(wrong)?;
        let value = quoted(value.trim()).ok_or_else(wrong)?;
        return Ok(Condition::Contains(known(field.trim())?, value));
    }
    let mut words = text.splitn(3, ' ');
    let (Some(field), Some(op), Some(value)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    let op = match op {
        "eq" => Op::Eq,
        "ne" => Op::Ne,
        "ge" => Op::Ge,
        "gt" => Op::Gt,
        "le" => Op::Le,
        "lt" => Op::Lt,
        _ => return Err(wrong()),
    };
    let value = match value.trim() {
        "true" => json!(true),
        "false" => json!(false),
        "null" => Value::Null,
        date if date.starts_with("DateTime'") => {
            let text = date.strip_prefix("DateTime").and_then(quoted).ok_or_else(wrong)?;
            json!(moment(&text).ok_or_else(wrong)?)
        }
        other => json!(quoted(other).ok_or_else(wrong)?),
    };
    Ok(Condition::Compare(known(field)?, op, value))
}

fn quoted(text: &str) -> Option<String> {
    let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inside.replace("''", "'"))
}

/// Unix milliseconds; a time without a zone is UTC.
fn moment(text: &str) -> Option<i64> {
    let parsed = text.parse::<jiff::Timestamp>();
    let parsed = parsed.or_else(|_| format!("{text}Z").parse());
    Some(parsed.ok()?.as_millisecond())
}

/// A field of a row by its path, `user/email`; instants as milliseconds.
fn field(row: &Value, path: &str) -> Value {
    let value = row.pointer(&format!("/{path}")).cloned().unwrap_or_default();
    match (path, value.as_str()) {
        ("utc_date_time", Some(text)) => json!(moment(text)),
        _ => value,
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

impl Condition {
    /// Whether a row fits.
    pub(super) fn fits(&self, row: &Value) -> bool {
        match self {
            Self::Contains(path, text) => field(row, path)
                .as_str()
                .is_some_and(|value| value.to_lowercase().contains(&text.to_lowercase())),
            Self::Compare(path, op, value) => {
                let found = field(row, path);
                let order = order(&found, value);
                match op {
                    Op::Eq => found == *value,
                    Op::Ne => found != *value,
                    Op::Ge => order.is_ge(),
                    Op::Gt => order.is_gt(),
                    Op::Le => order.is_le(),
                    Op::Lt => order.is_lt(),
                }
            }
        }
    }
}

/// Sorts rows as asked.
pub(super) fn sort(rows: &mut [Value], by: &str, down: bool) {
    rows.sort_by(|a, b| {
        let order = order(&field(a, by), &field(b, by));
        if down { order.reverse() } else { order }
    });
}

/// A list of these rows.
pub(super) fn list(
    state: &mut State,
    request: &Request,
    fields: &[&str],
    shape: Shape,
    mut rows: Vec<Value>,
) -> Answer {
    let wanted = wanted(request, fields)?;
    rows.retain(|row| wanted.conditions.iter().all(|condition| condition.fits(row)));
    if let Some((by, down)) = &wanted.order {
        sort(&mut rows, by, *down);
    }
    let is_bare = match shape {
        _ if wanted.follows => false,
        Shape::Bare => true,
        Shape::Paged => false,
        Shape::Alternating => {
            state.answers += 1;
            state.answers.is_multiple_of(2)
        }
    };
    if is_bare {
        return Ok(Reply::ok(&Value::Array(rows)));
    }
    let count = rows.len();
    let top = wanted.top.unwrap_or(state.manners.most).min(state.manners.most);
    let end = wanted.skip.saturating_add(top);
    let next = (end < count).then(|| next_page(request, end));
    let items: Vec<Value> = rows.into_iter().skip(wanted.skip).take(top).collect();
    Ok(Reply::ok(&json!({
        "items": items,
        "next_page_link": next,
        "count": wanted.counted.then_some(count),
    })))
}

fn next_page(request: &Request, end: usize) -> String {
    let kept = request.query.split('&').filter(|pair| {
        !pair.is_empty() && !pair.starts_with("$skiptoken") && !pair.starts_with("%24skiptoken")
    });
    let mut query: Vec<&str> = kept.collect();
    let token = format!("%24skiptoken=at-{end}");
    query.push(&token);
    format!(
        "{}://{}{}?{}",
        request.scheme,
        request.host,
        request.path,
        query.join("&")
    )
}
