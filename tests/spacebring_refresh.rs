//! What hints bring is what a whole read brings: random edits at the simulated Spacebring, each with its web hook.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::spacebring_site::*;
use doorward::{
    domain::facts::Facts,
    platform::{Fetched, Hint, Hook, Known, Platform},
};
use doorward_peers::spacebring::{Customer, HOOK_SECRET, Space, sign};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

/// How often; each round is some twenty requests.
const ROUNDS: usize = 25;

/// Something that happens at the space. Numbers pick among what there is.
#[derive(Clone, Debug)]
enum Edit {
    Book(usize, usize, i64),
    BookForCompany(usize, i64),
    BookFromElsewhere(usize, i64),
    Move(usize, i64),
    OtherRoom(usize, usize),
    Confirm(usize),
    Doubt(usize),
    Delete(usize),
    Invite(usize, usize),
    Join(bool),
    Subscribe(usize, usize),
    SubscribeCompany(usize),
    Cancel(usize),
    Unpaid(usize),
    Assign(usize, usize),
    Card(usize),
    LeaveCompany(usize),
    Gone(usize),
    UsePass(usize),
    Rename(usize),
    NewRoom,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let n = || 0..20_usize;
    let h = || -30..300_i64;
    let one = prop_oneof![
        (n(), n(), h()).prop_map(|(a, b, c)| Edit::Book(a, b, c)),
        (n(), h()).prop_map(|(a, b)| Edit::BookForCompany(a, b)),
        (n(), h()).prop_map(|(a, b)| Edit::BookFromElsewhere(a, b)),
        (n(), h()).prop_map(|(a, b)| Edit::Move(a, b)),
        (n(), n()).prop_map(|(a, b)| Edit::OtherRoom(a, b)),
        n().prop_map(Edit::Confirm),
        n().prop_map(Edit::Doubt),
        n().prop_map(Edit::Delete),
        (n(), n()).prop_map(|(a, b)| Edit::Invite(a, b)),
        any::<bool>().prop_map(Edit::Join),
        (n(), n()).prop_map(|(a, b)| Edit::Subscribe(a, b)),
        n().prop_map(Edit::SubscribeCompany),
        n().prop_map(Edit::Cancel),
        n().prop_map(Edit::Unpaid),
        (n(), n()).prop_map(|(a, b)| Edit::Assign(a, b)),
        n().prop_map(Edit::Card),
        n().prop_map(Edit::LeaveCompany),
        n().prop_map(Edit::Gone),
        n().prop_map(Edit::UsePass),
        n().prop_map(Edit::Rename),
        Just(Edit::NewRoom),
    ];
    prop::collection::vec(one, 1..5)
}

fn booking(id: String) -> Vec<Hint> {
    let collection = "bookings";
    vec![Hint::Object { collection, id }]
}
fn subscription(id: String) -> Vec<Hint> {
    let collection = "memberships";
    vec![Hint::Object { collection, id }]
}
fn person(id: &str) -> Vec<Hint> {
    vec![Hint::Person(id.into())]
}

/// Does it, and says what the platform would hint at.
#[expect(clippy::too_many_lines, reason = "a list of what may happen")]
fn apply(space: &mut Space, edit: &Edit) -> Vec<Hint> {
    const PLANS: [&str; 3] = ["Full time", "Hot desk", "Day passes"];
    let rooms: Vec<String> = space.resources.iter().map(|it| it.title.clone()).collect();
    let people: Vec<String> = space.members.iter().map(|it| it.id.clone()).collect();
    let bookings = space.bookings.len();
    let subscriptions = space.subscriptions.len();
    let member = |number: usize| people[number % people.len()].clone();
    let room = |number: usize| rooms[number % rooms.len()].clone();
    match *edit {
        Edit::Book(who, what, at) => booking(space.book(&member(who), &room(what), hour(at), hour(at + 2))),
        Edit::BookForCompany(what, at) => {
            let (company, user) = (space.companies[0].id.clone(), space.members[0].user.clone());
            let id = space.book(&company, &room(what), hour(at), hour(at + 1));
            let row = space.bookings.last_mut().unwrap();
            (row.owner, row.user) = (Customer::Company(company), Some(user));
            booking(id)
        }
        Edit::BookFromElsewhere(what, at) => {
            let id = space.member("Nora", "Pla", "member");
            space.members.last_mut().unwrap().location = space.elsewhere.clone();
            booking(space.book(&id, &room(what), hour(at), hour(at + 1)))
        }
        Edit::Move(_, _)
        | Edit::OtherRoom(_, _)
        | Edit::Confirm(_)
        | Edit::Doubt(_)
        | Edit::Delete(_)
        | Edit::Invite(_, _)
            if bookings == 0 =>
        {
            Vec::new()
        }
        Edit::Move(which, at) => {
            let row = &mut space.bookings[which % bookings];
            (row.start, row.end) = (hour(at), hour(at + 3));
            booking(row.id.clone())
        }
        Edit::OtherRoom(which, what) => {
            let resource = space.resources[what % rooms.len()].id.clone();
            let row = &mut space.bookings[which % bookings];
            row.resource = resource;
            booking(row.id.clone())
        }
        Edit::Confirm(which) | Edit::Doubt(which) | Edit::Delete(which) => {
            let row = &mut space.bookings[which % bookings];
            match edit {
                Edit::Confirm(_) => row.status = "confirmed",
                Edit::Doubt(_) => row.status = "tentative",
                _ => row.deleted = Some(hour(0)),
            }
            booking(row.id.clone())
        }
        Edit::Invite(which, who) => {
            let row = &mut space.bookings[which % bookings];
            row.attendees.push(Ok(member(who)));
            booking(row.id.clone())
        }
        Edit::Join(known) => {
            let kind = if known { "member" } else { "nonmember" };
            person(&space.member("Bela", "Nagy", kind))
        }
        Edit::Subscribe(who, plan) => {
            subscription(space.subscribe(Customer::User(member(who)), PLANS[plan % 3], hour(-20)))
        }
        Edit::SubscribeCompany(plan) => {
            let company = space.companies[0].id.clone();
            subscription(space.subscribe(Customer::Company(company), PLANS[plan % 3], hour(20)))
        }
        Edit::Cancel(_) | Edit::Unpaid(_) | Edit::Assign(_, _) if subscriptions == 0 => Vec::new(),
        Edit::Cancel(which) => {
            let row = &mut space.subscriptions[which % subscriptions];
            row.end = Some(hour(if which % 2 == 0 { -1 } else { 48 }));
            subscription(row.id.clone())
        }
        Edit::Unpaid(which) => {
            let row = &mut space.subscriptions[which % subscriptions];
            row.incomplete = !row.incomplete;
            subscription(row.id.clone())
        }
        Edit::Assign(which, what) => {
            let (id, resource) = (space.id(), space.resources[what % rooms.len()].id.clone());
            let row = &mut space.subscriptions[which % subscriptions];
            row.assignments.push((id, resource));
            subscription(row.id.clone())
        }
        Edit::Card(who) => {
            let card = format!("04A2B3C4{who:06X}");
            let row = &mut space.members[who % people.len()];
            row.metadata.insert("cardNumber".into(), card.into());
            person(&row.id)
        }
        Edit::LeaveCompany(who) => {
            let row = &mut space.members[who % people.len()];
            row.company = None;
            person(&row.id)
        }
        Edit::Gone(who) => {
            let row = &mut space.members[who % people.len()];
            row.deleted = Some(1);
            person(&row.id)
        }
        Edit::UsePass(who) => {
            let customer = member(who);
            let Some(balances) = space.balances.get_mut(&customer) else {
                return Vec::new();
            };
            balances[0].amount = (balances[0].amount - 1.0).max(0.0);
            person(&customer)
        }
        Edit::Rename(which) => {
            space.companies[0].title = format!("Company {which}");
            let id = space.companies[0].id.clone();
            let collection = "teams";
            vec![Hint::Object { collection, id }]
        }
        Edit::NewRoom => {
            let mut room = space.resources[0].clone();
            (room.id, room.title) = (space.id(), format!("Room {}", rooms.len()));
            space.resources.push(room);
            vec![Hint::Collection("resources")]
        }
    }
}

fn contents(facts: &Facts) -> Facts {
    Facts {
        version: 0,
        ..facts.clone()
    }
}

#[tokio::test]
async fn refreshed_facts_are_those_of_a_whole_read() {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), seed);
    let site = Site::start();
    let (mut last, _, mut known) = site.facts().await;
    // Another gateway that has never read anything by hints: what it reads is the truth.
    let whole = adapter(&config(&site.cloud), &site.around);
    let (mut narrow, mut rounds) = (0, 0);
    for round in 0..ROUNDS {
        let batch = edits().new_tree(&mut runner).unwrap().current();
        let hints: Vec<Hint> = site
            .cloud
            .edit(|space| batch.iter().flat_map(|edit| apply(space, edit)).collect());
        drop(site.cloud.asked());
        let fetched = site.adapter.refresh(&known, last.clone(), &hints).await.unwrap();
        let asked = site.cloud.asked();
        let everything = asked
            .iter()
            .any(|asked| asked.path.starts_with("/community/companies/v1?"));
        (narrow, rounds) = (narrow + usize::from(!everything), rounds + 1);
        if let Fetched::Facts { facts, etag, .. } = fetched {
            let version = facts.version;
            (last, known) = (facts, Known { version, etag });
        }
        let (truth, _, _) = take(whole.fetch(None).await.unwrap());
        let (ours, theirs) = (
            format!("{:#?}", contents(&last)),
            format!("{:#?}", contents(&truth)),
        );
        let only = |one: &str, other: &str| -> Vec<String> {
            let lines = one.lines().filter(|line| !other.contains(line));
            lines.map(str::to_owned).collect()
        };
        assert!(
            ours == theirs,
            "round {round}: {batch:?}\nasked {asked:#?}\nrefreshed {:#?}\nread {:#?}",
            only(&ours, &theirs),
            only(&theirs, &ours)
        );
    }
    assert!(narrow * 3 > rounds, "only {narrow} of {rounds} were narrow");
}

#[tokio::test]
async fn a_booking_hook_costs_a_handful_of_requests() {
    let mut space = Space::usual();
    let carmen = space.members[0].id.clone();
    space.book(&carmen, "Phone booth", hour(1), hour(2));
    let site = Site::with(space);
    let (facts, _, known) = site.facts().await;
    let whole = site.cloud.asked().len();
    let id = site
        .cloud
        .edit(|space| space.book(&carmen, "Meeting room", hour(1), hour(2)));
    let body = format!(r#"{{"type":"booking.created","booking":{{"id":"{id}"}}}}"#);
    let now = site.around.clock.now();
    let delivery = sign("msg_1", now.at, &body, HOOK_SECRET);
    let headers = [
        ("svix-id".to_owned(), delivery.id),
        ("svix-timestamp".to_owned(), delivery.timestamp),
        ("svix-signature".to_owned(), delivery.signature),
    ];
    let hook = Hook {
        headers: &headers,
        body: body.as_bytes(),
        now,
    };
    let heard = site.adapter.hook(&hook).unwrap();
    let (facts, _, _) = take(site.adapter.refresh(&known, facts, &heard.hints).await.unwrap());
    assert_eq!(facts.bookings.len(), 2);
    assert_eq!((whole, site.cloud.asked().len()), (8, 3));
    // An hour later the window of bookings is another one, so everything is read.
    site.around.clock.advance(std::time::Duration::from_secs(3_600));
    let known = Known {
        version: facts.version,
        etag: None,
    };
    take(site.adapter.refresh(&known, facts, &heard.hints).await.unwrap());
    assert_eq!(site.cloud.asked().len(), whole);
}
