//! What is read of Nexudus' records: the fields that matter, under their own names. Everything else is ignored.
//! Field names: facts: platforms.md 3.3.

use serde::{Deserialize, Deserializer};

/// A record with its number.
pub(super) trait Numbered {
    /// `Id`.
    fn number(&self) -> u64;
}

macro_rules! rows {
    ($($(#[$about:meta])* $name:ident { $($(#[$more:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub(super) struct $name {
            pub(super) id: u64,
            $($(#[$more])* #[serde(default)] pub(super) $field: $kind,)*
        }
        impl Numbered for $name {
            fn number(&self) -> u64 {
                self.id
            }
        }
    )*};
}

rows! {
    /// `spaces/coworkers`: a customer. `AccessPincode` is not read: a PIN is no card.
    Coworker {
        full_name: Option<String>,
        email: Option<String>,
        active: Option<bool>,
        archived: Option<bool>,
        access_card_id: Option<String>,
        key_fob_number: Option<String>,
        invoicing_business_id: Option<u64>,
        created_on: Option<String>,
        /// Only in a record asked for by its id.
        #[serde(deserialize_with = "numbers")]
        teams: Vec<u64>,
    }
    /// `billing/coworkercontracts`.
    Contract {
        issued_by_id: Option<u64>,
        coworker_id: Option<u64>,
        tariff_id: Option<u64>,
        start_date: Option<String>,
        start_date_local: Option<String>,
        cancellation_date: Option<String>,
        cancellation_date_local: Option<String>,
        active: Option<bool>,
        cancelled: Option<bool>,
    }
    /// `billing/contractpausedperiods`. Until is the day on which the contract goes on.
    Pause {
        coworker_contract_id: Option<u64>,
        pause_from: Option<String>,
        pause_until: Option<String>,
        pause_from_local: Option<String>,
        pause_until_local: Option<String>,
    }
    /// `billing/tariffs`: a plan.
    Tariff {
        name: Option<String>,
    }
    /// `billing/tarifftimepasses`: the passes that a plan gives.
    TariffPass {
        tariff_id: Option<u64>,
    }
    /// `spaces/teams`.
    Team {
        business_id: Option<u64>,
        name: Option<String>,
        paying_member_id: Option<u64>,
        share_time_passes: Option<bool>,
        /// Only in a record asked for by its id.
        #[serde(deserialize_with = "numbers")]
        team_members: Vec<u64>,
    }
    /// `sys/floorplandesks`: an item of a floor plan.
    Item {
        floor_plan_id: Option<u64>,
        floor_plan_name: Option<String>,
        floor_plan_business_id: Option<u64>,
        floor_plan_business_name: Option<String>,
        name: Option<String>,
        item_type: Option<u8>,
        resource_id: Option<u64>,
        #[serde(deserialize_with = "word")]
        access_control_group_id: Option<String>,
        #[serde(deserialize_with = "numbers")]
        coworker_contract_ids: Vec<u64>,
    }
    /// `spaces/resources`.
    Bookable {
        business_id: Option<u64>,
        business_name: Option<String>,
        name: Option<String>,
        #[serde(deserialize_with = "word")]
        access_control_group_id: Option<String>,
    }
    /// `spaces/bookings`: one occurrence; Nexudus keeps each of a series by itself.
    Reserved {
        resource_id: Option<u64>,
        floor_plan_desk_id: Option<u64>,
        coworker_id: Option<u64>,
        from_time: Option<String>,
        to_time: Option<String>,
        tentative: Option<bool>,
    }
    /// `spaces/bookingvisitors`.
    Visitor {
        booking_id: Option<u64>,
        visitor_id: Option<u64>,
        visitor_full_name: Option<String>,
        visitor_email: Option<String>,
    }
    /// `billing/timepasses`: a kind of pass.
    PassKind {
        business_id: Option<u64>,
        name: Option<String>,
        /// Absent: a day pass.
        minutes_included: Option<u64>,
        #[serde(deserialize_with = "word")]
        access_control_group_id: Option<String>,
        /// Only in a record asked for by its id.
        #[serde(deserialize_with = "numbers")]
        businesses: Vec<u64>,
    }
    /// `billing/timepasstimeslots`: hours of a kind of pass. Only the times of day count.
    Slot {
        time_pass_id: Option<u64>,
        /// 0 is Sunday.
        day_of_week: Option<u8>,
        from_time: Option<String>,
        to_time: Option<String>,
    }
    /// `billing/coworkertimepasses`: a customer's pass.
    HeldPass {
        unique_id: Option<String>,
        coworker_id: Option<u64>,
        business_id: Option<u64>,
        time_pass_id: Option<u64>,
        used: Option<bool>,
        checked_in: Option<bool>,
        used_date: Option<String>,
        remaining_uses: Option<i64>,
        expire_date: Option<String>,
    }
    /// `spaces/checkins`.
    CheckedIn {
        coworker_id: Option<u64>,
        business_id: Option<u64>,
        from_time: Option<String>,
        to_time: Option<String>,
        coworker_time_pass_guid: Option<String>,
    }
    /// `sys/businesses`: a location.
    Business {
        name: Option<String>,
    }
    /// `sys/webhooks`.
    WebHook {
        action: Option<u64>,
        #[serde(rename = "URL")]
        url: Option<String>,
        active: Option<bool>,
    }
}

/// Numbers as an array, as one number, or as text with commas: all three are in use.
fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        List(Vec<u64>),
        One(u64),
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Option::<Said>::deserialize(from)? {
        Some(Said::List(numbers)) => numbers,
        Some(Said::One(number)) => vec![number],
        Some(Said::Text(text)) => text
            .split([',', ';', ' '])
            .filter_map(|part| part.trim().parse().ok())
            .collect(),
        Some(Said::Other(_)) | None => Vec::new(),
    })
}

/// Text, or a number that stands for it.
fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Number(i64),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Option::<Said>::deserialize(from)? {
        Some(Said::Text(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Said::Number(number)) => Some(number.to_string()),
        Some(Said::Text(_) | Said::Other(_)) | None => None,
    })
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: Deserialize<'de>")]
pub(super) struct Page<T> {
    pub(super) records: Vec<T>,
    pub(super) current_page: usize,
    pub(super) has_next_page: bool,
    pub(super) total_items: usize,
}

/// What a write is answered with. A failure may come with status 200 (facts: platforms.md 3.4).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Written {
    pub(super) message: Option<String>,
    pub(super) was_successful: bool,
    pub(super) value: Option<Value>,
    errors: Option<Vec<Complaint>>,
}

/// The record that was written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Value {
    pub(super) id: Option<u64>,
}

/// One thing that is wrong with a record.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Complaint {
    message: Option<String>,
}

impl Written {
    /// Why it failed, in Nexudus' words, short and without control characters. The value that was tried is left out:
    /// it could be a card number.
    pub(super) fn words(&self) -> String {
        let complaints = self.errors.iter().flatten();
        let said: Vec<&str> = self
            .message
            .iter()
            .chain(complaints.filter_map(|complaint| complaint.message.as_ref()))
            .map(String::as_str)
            .collect();
        let mut words = String::new();
        for (index, text) in said.iter().enumerate() {
            if said.iter().take(index).any(|before| before == text) {
                continue;
            }
            if !words.is_empty() {
                words.push_str("; ");
            }
            words.extend(text.chars().filter(|c| !c.is_control()).take(200));
        }
        if words.is_empty() {
            words.push_str("Nexudus gave no reason");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_a_list_as_text_or_not_at_all() {
        let read = |text: &str| serde_json::from_str::<Item>(text).unwrap().coworker_contract_ids;
        assert_eq!(read(r#"{"Id":1,"CoworkerContractIds":"12,13"}"#), [12, 13]);
        assert_eq!(read(r#"{"Id":1,"CoworkerContractIds":[12]}"#), [12]);
        assert_eq!(read(r#"{"Id":1,"CoworkerContractIds":12}"#), [12]);
        assert_eq!(read(r#"{"Id":1,"CoworkerContractIds":null}"#), [0_u64; 0]);
        assert_eq!(read(r#"{"Id":1}"#), [0_u64; 0]);
    }

    #[test]
    fn a_failure_is_told_without_the_value_that_was_tried() {
        let written: Written = serde_json::from_str(
            r#"{"Status":500,"Message":"AccessCardId is taken","Value":null,"WasSuccessful":false,
                "Errors":[{"AttemptedValue":"04A2B3C4","Message":"AccessCardId is taken","PropertyName":"AccessCardId"},
                          {"AttemptedValue":null,"Message":"try another","PropertyName":null}]}"#,
        )
        .unwrap();
        assert_eq!(written.words(), "AccessCardId is taken; try another");
    }
}
