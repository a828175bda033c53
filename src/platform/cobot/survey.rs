//! What an installer learns before the connection is used: every permission tried by a read.

use super::{
    CobotCloud,
    facts::{self, is_mac},
    fetch::{self, SPACE, USER},
    model::{Document, SpaceAttributes, Unread, UserAttributes},
    rows::Rows,
};
use crate::{
    domain::Millis,
    platform::{PlatformError, Survey, SurveyCheck},
};
use reqwest::{Method, header};

impl CobotCloud {
    /// The server's time by its own clock, for a gateway that does not know its own.
    pub(super) async fn server_time(&self) -> Result<Option<Millis>, PlatformError> {
        let request = self.api.request2(Method::GET, &["user"], &[])?;
        let answer = self.api.order(&self.api.new, request, "ask for the time").await?;
        let date = answer.headers().get(header::DATE).and_then(|it| it.to_str().ok());
        Ok(date.and_then(|date| Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond())))
    }

    pub(super) async fn try_everything(&self) -> Result<Survey, PlatformError> {
        let mut survey = Survey::default();
        let space = self.space().await?;
        let now = self.around.clock.now();
        let server = self.server_time().await.ok().flatten();
        if let Some(server) = server.filter(|server| now.trusted && server.abs_diff(now.at) > 120_000) {
            let minutes = server.abs_diff(now.at) / 60_000;
            survey.remarks.push(format!(
                "Cobot's clock and this gateway's differ by {minutes} minutes."
            ));
        }
        self.whose(&space.id, &mut survey).await?;
        let spans = self.spans().await?;
        let mut rows = Rows {
            near_until: spans.near_until,
            ..Rows::default()
        };
        macro_rules! check {
            ($field:ident, $what:expr, $why:literal, $read:expr) => {
                let outcome = $read.await;
                survey.checks.push(SurveyCheck {
                    what: format!("{} ({})", $what.name, $what.scope),
                    why: $why,
                    outcome: outcome.as_ref().map(Vec::len).map_err(Clone::clone),
                });
                rows.$field = outcome.unwrap_or_default();
            };
        }
        let id = space.id.as_str();
        check!(members, fetch::MEMBERS, "who there is", self.members(id, &spans));
        check!(
            plans,
            fetch::PLANS,
            "which plan opens which doors",
            self.plans(id, &spans)
        );
        check!(
            teams,
            fetch::TEAMS,
            "desks and offices that a team has",
            self.teams(id, &spans)
        );
        check!(
            resources,
            fetch::RESOURCES,
            "rooms, desks and offices",
            self.resources(id)
        );
        check!(
            near,
            fetch::BOOKINGS,
            "who may enter a room, and when",
            self.bookings(id, spans.near_from, spans.near_until)
        );
        check!(
            externals,
            fetch::EXTERNALS,
            "visitors who have booked a room",
            self.externals(id, &spans)
        );
        check!(
            allocations,
            fetch::ALLOCATIONS,
            "desks and offices that somebody has",
            self.allocations(id, &spans)
        );
        check!(
            drop_ins,
            fetch::DROP_INS,
            "visitors with a pass for the day",
            self.drop_ins(id, &spans)
        );
        check!(passes, fetch::PASSES, "who has a pass left", self.passes());
        check!(
            sessions,
            fetch::SESSIONS,
            "whose pass is in use",
            self.sessions(&spans)
        );
        check!(tokens, fetch::TOKENS, "the cards", self.tokens());
        let phones = rows.tokens.iter().filter(|it| is_mac(it.text.reveal())).count();
        if phones > 0 {
            survey.remarks.push(format!(
                "{phones} check-in tokens are addresses of telephones on the wireless network and no cards; they are passed over."
            ));
        }
        let (facts, problems) = facts::translate(rows, &space);
        survey
            .remarks
            .extend(problems.iter().take(5).map(|it| format!("{it}.")));
        survey.catalogue = facts.catalogue;
        survey.resources = facts.resources;
        Ok(survey)
    }

    /// Zone, and whose token it is.
    async fn whose(&self, space: &str, survey: &mut Survey) -> Result<(), PlatformError> {
        let found: Option<Document<SpaceAttributes, Unread>> =
            self.api.object(SPACE, &["spaces", space], &[]).await?;
        let space = found.map(|it| it.data.attributes).unwrap_or_default();
        survey.zone = space.time_zone;
        let user: Result<Option<Document<UserAttributes, Unread>>, _> =
            self.api.object(USER, &["user"], &[]).await;
        let email = user.ok().flatten().and_then(|it| it.data.attributes.email);
        if let Some(email) = email.filter(|email| Some(email) != space.email.as_ref()) {
            survey.remarks.push(format!(
                "The access token looks like a personal one, of {email}: it ends when that person leaves. Move it to the space (docs/platforms/cobot.md)."
            ));
        }
        Ok(())
    }
}
