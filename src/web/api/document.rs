//! The OpenAPI document, made from the handlers. It is checked in as docs/api/openapi.json, and a test compares.

use super::{cards, cards_many, desk_readers, doors, events, live, people, session, staff, status};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Doorward",
        description = "What the gateway's page and the building network ask of a gateway. Sign in for a cookie, or send a \
                       token as `Authorization: Bearer …`. Errors are `application/problem+json` (RFC 9457). `x-scope` names \
                       what an operation needs: docs/page.md has which role has it.\n\nA request that changes something and \
                       comes with a cookie must come from the gateway's own page (`Sec-Fetch-Site: same-origin`), or, from a \
                       client that is no browser, with the header `X-Doorward: 1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        session::me, session::sign_in, session::first, session::password, session::sign_out,
        session::sign_out_everywhere, status::status, status::sync, status::now, status::accept, events::events,
        live::live, doors::doors, doors::open, doors::lockdown, people::people, people::person, desk_readers::readers,
        desk_readers::lend, desk_readers::give_back, desk_readers::presented, desk_readers::read, cards::list, cards::look,
        cards::assign, cards::give_back, cards::replace, cards::guest, cards::block, cards::unblock, cards_many::import,
        cards_many::conflicts, cards_many::resolve, cards_many::begin, cards_many::progress, cards_many::end,
        cards_many::present, cards_many::skip, cards_many::undo, staff::list, staff::add,
        staff::role, staff::remove, staff::reset, staff::sign_out, staff::tokens, staff::add_token, staff::remove_token,
        staff::trail
    ),
    security(("session" = []), ("token" = [])),
    modifiers(&Schemes)
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description("__Host-doorward", "set by signing in");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("made by `doorward staff token add`"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The document, as JSON for people.
///
/// # Errors
/// Never in fact: plain data serialises.
pub fn document() -> Result<String, serde_json::Error> {
    let mut text = Document::openapi().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}
