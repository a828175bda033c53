//! What is read of the platform's objects: the fields that matter, all optional but the id, the rest ignored.

use serde::Deserialize;
use serde_json::{Map, Value};

/// `{id, name, surname, email}`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct User {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) surname: Option<String>,
    pub(super) email: Option<String>,
}

/// `dayPasses` of a membership or a company.
#[derive(Debug, Default, Deserialize)]
pub(super) struct DayPasses {
    pub(super) expiring: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) timezone_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Membership {
    pub(super) id: String,
    pub(super) user_ref: Option<String>,
    pub(super) user: Option<User>,
    pub(super) company_ref: Option<String>,
    pub(super) location_ref: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) create_date: Option<String>,
    pub(super) delete_date: Option<String>,
    pub(super) day_passes: Option<DayPasses>,
    pub(super) metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Company {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) location_ref: Option<String>,
    pub(super) delete_date: Option<String>,
    pub(super) day_passes: Option<DayPasses>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) title: Option<String>,
    pub(super) access: Option<Access>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    pub(super) saltoks_access_group_ref: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) title: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) location_ref: Option<String>,
    pub(super) schedule: Option<Schedule>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Schedule {
    #[serde(default)]
    pub(super) enabled: bool,
    pub(super) default: Option<Hours>,
    pub(super) public: Option<Hours>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hours {
    /// Of the public hours only.
    #[serde(default)]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) items: Vec<HoursItem>,
    #[serde(default)]
    pub(super) closed_days: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HoursItem {
    #[serde(default)]
    pub(super) days: Days,
    pub(super) hours: FromTo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Days {
    pub(super) monday: bool,
    pub(super) tuesday: bool,
    pub(super) wednesday: bool,
    pub(super) thursday: bool,
    pub(super) friday: bool,
    pub(super) saturday: bool,
    pub(super) sunday: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct FromTo {
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) location_ref: Option<String>,
    pub(super) subscription_type: Option<String>,
    pub(super) customer: Option<Customer>,
    pub(super) customer_ref: Option<String>,
    pub(super) membership_ref: Option<String>,
    pub(super) company_ref: Option<String>,
    pub(super) user_ref: Option<String>,
    pub(super) start_date: Option<String>,
    pub(super) end_date: Option<String>,
    pub(super) delete_date: Option<String>,
    #[serde(default)]
    pub(super) items: Vec<Item>,
    #[serde(default)]
    pub(super) assignments: Vec<Assigned>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Customer {
    pub(super) id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) plan_ref: Option<String>,
    pub(super) plan: Option<Named>,
    pub(super) start_date: Option<String>,
    pub(super) end_date: Option<String>,
    pub(super) day_passes: Option<f64>,
    pub(super) saltoks_access_group_ref: Option<String>,
}

/// Something that is only named.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Assigned {
    pub(super) id: String,
    pub(super) resource: Option<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) resource_ref: Option<String>,
    /// The customer: a membership or a company.
    pub(super) membership_ref_owner: Option<String>,
    pub(super) customer_ref: Option<String>,
    pub(super) user_owner: Option<User>,
    #[serde(default)]
    pub(super) attendees: Vec<Attendee>,
    pub(super) start_date: String,
    pub(super) end_date: String,
    pub(super) delete_date: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attendee {
    pub(super) membership_ref: Option<String>,
    pub(super) user: Option<User>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balance {
    pub(super) amount: Option<f64>,
    pub(super) expiration_date: Option<String>,
    pub(super) subscription_ref: Option<String>,
}
