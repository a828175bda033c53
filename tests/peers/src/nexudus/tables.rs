//! Rows as Nexudus lists them: every entity with its columns, filters by column, ranges, order and pages.

use serde_json::{Map, Value, json};
use std::{cmp::Ordering, collections::BTreeMap};

/// A record with its columns, PascalCase.
pub type Row = Map<String, Value>;

/// An entity: where it is, what it is called in filters and roles, and a record with nothing filled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    columns: &'static [&'static str],
    /// Collections inside a record: only a record asked for by its id has them.
    nested: &'static [&'static str],
}

const fn entity(
    path: &'static str,
    name: &'static str,
    columns: &'static [&'static str],
    nested: &'static [&'static str],
) -> Entity {
    Entity {
        path,
        name,
        columns,
        nested,
    }
}

/// The entities that the simulator has.
#[rustfmt::skip]
pub(super) const ENTITIES: &[Entity] = &[
    entity("spaces/coworkers", "Coworker", &[
        "FullName", "Email", "CoworkerType", "Active", "Archived", "AccessCardId", "KeyFobNumber", "AccessPincode",
        "InvoicingBusinessId", "TariffId", "CoworkerContractIds", "TeamIds", "CountryId", "SimpleTimeZoneId", "Notes",
    ], &["Teams", "Businesses"]),
    entity("billing/coworkercontracts", "CoworkerContract", &[
        "IssuedById", "IssuedByName", "CoworkerId", "CoworkerFullName", "TariffId", "TariffName", "StartDate", "StartDateLocal",
        "CancellationDate", "CancellationDateLocal", "RenewalDate", "RenewalDateLocal", "Active", "Cancelled", "CancelTeamContracts",
    ], &["Desks", "Variants"]),
    entity("billing/contractpausedperiods", "ContractPausedPeriod", &[
        "CoworkerContractId", "CoworkerContractCoworkerId", "PauseFrom", "PauseUntil", "PauseFromLocal", "PauseUntilLocal", "Notes",
    ], &[]),
    entity("billing/tariffs", "Tariff", &["BusinessId", "Name", "Archived", "Price"], &["Businesses"]),
    entity("billing/tarifftimepasses", "TariffTimePass", &[
        "TariffId", "TariffName", "TimePassId", "TimePassName", "PassesIncluded",
    ], &[]),
    entity("spaces/teams", "Team", &[
        "BusinessId", "Name", "PayingMemberId", "PayingMemberFullName", "ShareTimePasses", "CoworkerIds",
    ], &["TeamMembers", "TeamAdministrators"]),
    entity("sys/floorplans", "FloorPlan", &["BusinessId", "BusinessName", "Name", "Capacity"], &[]),
    entity("sys/floorplandesks", "FloorPlanDesk", &[
        "FloorPlanId", "FloorPlanName", "FloorPlanBusinessId", "FloorPlanBusinessName", "CoworkerId", "CoworkerFullName", "Name",
        "ItemType", "ResourceId", "ResourceName", "AccessControlGroupId", "CoworkerContractIds", "Available",
    ], &[]),
    entity("spaces/resources", "Resource", &[
        "BusinessId", "BusinessName", "Name", "ResourceTypeId", "ResourceTypeName", "AccessControlGroupId", "RequiresConfirmation",
        "AllowMultipleBookings", "Archived", "Shifts",
    ], &["Tariffs"]),
    entity("spaces/bookings", "Booking", &[
        "ResourceId", "ResourceName", "FloorPlanDeskId", "FloorPlanDeskName", "CoworkerId", "CoworkerFullName", "FromTime",
        "ToTime", "FromTimeLocal", "ToTimeLocal", "Tentative", "RepeatSeriesUniqueId",
    ], &["BookingVisitors", "BookingProducts"]),
    entity("spaces/bookingvisitors", "BookingVisitor", &["BookingId", "VisitorId", "VisitorFullName", "VisitorEmail"], &[]),
    entity("billing/timepasses", "TimePass", &[
        "BusinessId", "Name", "MinutesIncluded", "UsePriority", "AccessControlGroupId", "OnlyForMembers", "OnlyForContacts",
        "Archived", "Price",
    ], &["Businesses", "Tariffs", "AccessControlGroupIds"]),
    entity("billing/timepasstimeslots", "TimePassTimeSlot", &["TimePassId", "DayOfWeek", "FromTime", "ToTime"], &[]),
    entity("billing/coworkertimepasses", "CoworkerTimePass", &[
        "CoworkerId", "BusinessId", "TimePassId", "TimePassName", "Used", "CheckedIn", "UsedDate", "RemainingUses", "TotalUses",
        "ExpireDate", "IsFromTariff", "IsPayAsYouGo",
    ], &[]),
    entity("spaces/checkins", "Checkin", &[
        "CoworkerId", "CoworkerFullName", "BusinessId", "BusinessName", "Source", "FromTime", "ToTime", "FromTimeLocal",
        "ToTimeLocal", "CoworkerTimePassGuid", "AutoCheckout", "LastActivity", "MacAddresses",
    ], &[]),
    entity("sys/businesses", "Business", &["Name", "WebAddress", "SimpleTimeZoneId", "SimpleTimeZoneName"], &["AddressLines"]),
    entity("sys/webhooks", "WebHook", &[
        "BusinessId", "Name", "Action", "URL", "Active", "LastError", "ErrorCount", "LastTrigger",
    ], &[]),
];

/// Columns that every entity has.
const EVERYWHERE: [&str; 4] = ["Id", "UniqueId", "CreatedOn", "UpdatedOn"];

impl Entity {
    pub(super) fn at(path: &str) -> Option<Self> {
        ENTITIES.iter().find(|entity| entity.path == path).copied()
    }

    fn has(&self, column: &str) -> bool {
        self.columns.contains(&column) || EVERYWHERE.contains(&column)
    }

    /// `FloorPlan_Business_Id`, `Coworker` or `FromTime` as a column.
    fn column(&self, filter: &str) -> Option<String> {
        let joined = filter.replace('_', "");
        [format!("{joined}Id"), joined]
            .into_iter()
            .find(|name| self.has(name))
    }

    /// A record with every column, those of `given` filled in.
    pub(super) fn fill(&self, id: u64, now: &str, given: &Value) -> Row {
        let mut row = Row::new();
        for column in self.columns {
            row.insert((*column).to_owned(), Value::Null);
        }
        for nested in self.nested {
            row.insert((*nested).to_owned(), json!([]));
        }
        row.insert("Id".into(), json!(id));
        row.insert(
            "UniqueId".into(),
            json!(format!("00000000-0000-4000-8000-{id:012}")),
        );
        row.insert("CreatedOn".into(), json!(now));
        row.insert("UpdatedOn".into(), json!(now));
        for (column, value) in given.as_object().into_iter().flatten() {
            row.insert(column.clone(), value.clone());
        }
        row
    }

    /// As a list shows it: without its nested collections.
    fn partial(&self, row: &Row) -> Value {
        let shown = row
            .iter()
            .filter(|(column, _)| !self.nested.contains(&column.as_str()));
        Value::Object(
            shown
                .map(|(column, value)| (column.clone(), value.clone()))
                .collect(),
        )
    }
}

/// What a request for a list asks.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) page: usize,
    pub(super) size: usize,
    order: String,
    descending: bool,
    filters: Vec<Filter>,
}

#[derive(Debug)]
enum Filter {
    Is(String, String),
    From(String, i64),
    To(String, i64),
}

/// The largest page. Nobody documents it; more than this is not given.
const MOST: usize = 1_000;

impl Asked {
    /// Reads the query; the message of a refusal names the parameter.
    pub(super) fn read(entity: &Entity, query: &[(String, String)]) -> Result<Self, String> {
        let mut asked = Self {
            page: 1,
            size: 25,
            order: "Id".into(),
            descending: false,
            filters: Vec::new(),
        };
        for (name, value) in query {
            let odd = || format!("{name}={value} is not understood for {}", entity.name);
            let number = || value.parse::<usize>().ok().filter(|it| *it > 0).ok_or_else(odd);
            match name.as_str() {
                "page" => asked.page = number()?,
                "size" => asked.size = number()?.min(MOST),
                "orderBy" if entity.has(value) => asked.order.clone_from(value),
                "dir" if ["1", "0", "-1"].contains(&value.as_str()) => asked.descending = value == "-1",
                _ => asked.filters.push(filter(entity, name, value).ok_or_else(odd)?),
            }
        }
        Ok(asked)
    }

    fn takes(&self, row: &Row) -> bool {
        self.filters.iter().all(|filter| match filter {
            // Texts are searched, everything else is compared.
            Filter::Is(column, wanted) => row.get(column).is_some_and(|value| match value {
                Value::String(text) => text.to_lowercase().contains(&wanted.to_lowercase()),
                other => plain(other) == *wanted,
            }),
            Filter::From(column, from) => instant(row.get(column)).is_some_and(|at| at >= *from),
            Filter::To(column, to) => instant(row.get(column)).is_some_and(|at| at <= *to),
        })
    }
}

fn filter(entity: &Entity, name: &str, value: &str) -> Option<Filter> {
    let column = |name: &str| {
        let own = name.strip_prefix(entity.name)?.strip_prefix('_')?;
        entity.column(own)
    };
    if let Some(name) = name.strip_prefix("from_") {
        return Some(Filter::From(column(name)?, minute(value)?));
    }
    if let Some(name) = name.strip_prefix("to_") {
        return Some(Filter::To(column(name)?, minute(value)?));
    }
    Some(Filter::Is(column(name)?, value.to_owned()))
}

/// `YYYY-MM-DDTHH:mm`, UTC, and nothing else, as Unix milliseconds.
fn minute(text: &str) -> Option<i64> {
    if text.len() != 16 {
        return None;
    }
    Some(
        format!("{text}:00Z")
            .parse::<jiff::Timestamp>()
            .ok()?
            .as_millisecond(),
    )
}

/// A column's UTC time as Unix milliseconds.
pub(super) fn instant(value: Option<&Value>) -> Option<i64> {
    let text = value?.as_str()?;
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn order(a: &Row, b: &Row, column: &str) -> Ordering {
    let number = |row: &Row| row.get(column).and_then(Value::as_i64);
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let text = |row: &Row| row.get(column).map(plain).unwrap_or_default();
            text(a).cmp(&text(b))
        }
    }
}

/// A page as Nexudus gives it.
pub(super) fn list(entity: &Entity, table: &BTreeMap<u64, Row>, asked: &Asked) -> Value {
    let mut rows: Vec<&Row> = table.values().filter(|row| asked.takes(row)).collect();
    rows.sort_by(|a, b| order(a, b, &asked.order));
    if asked.descending {
        rows.reverse();
    }
    let (page, size) = (asked.page, asked.size);
    let total = rows.len();
    let pages = total.div_ceil(size);
    let first = (page - 1).saturating_mul(size);
    let records: Vec<Value> = rows
        .into_iter()
        .skip(first)
        .take(size)
        .map(|row| entity.partial(row))
        .collect();
    json!({
        "CurrentPageSize": size,
        "CurrentPage": page,
        "CurrentOrderField": asked.order,
        "CurrentSortDirection": if asked.descending { -1 } else { 1 },
        "FirstItem": if records.is_empty() { 0 } else { first + 1 },
        "LastItem": first + records.len(),
        "HasNextPage": page < pages,
        "HasPreviousPage": page > 1,
        "PageNumber": page,
        "PageSize": size,
        "TotalItems": total,
        "TotalPages": pages,
        "Records": records,
    })
}
