use super::*;
use crate::{clock::Clock, health::Health, store::StoreOptions};

fn open(dir: &std::path::Path) -> Store {
    let options = StoreOptions::new(dir.join("state"), dir.join("run"));
    Store::open(&options, &Clock::system(true, 0), &Health::default())
        .unwrap()
        .0
}

fn card() -> Credential {
    "uid:04A2B3C4D5E680".parse().unwrap()
}

fn to(person: &str) -> CardChange<'static> {
    CardChange {
        credential: card(),
        seen: 0,
        row: Some(LocalCard::new(card(), person)),
        writes: &[],
        guest: None,
    }
}

#[test]
fn of_two_who_change_the_same_card_the_second_learns_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let Changed::Done(first) = store.change_card(&to("ana"), 1, "Maria").unwrap() else {
        panic!("nobody was there before");
    };
    let Changed::Meanwhile(Some(found)) = store.change_card(&to("ben"), 2, "Otto").unwrap() else {
        panic!("the second overwrote the first");
    };
    assert_eq!((found.person.as_str(), found.revision), ("ana", first));
    let again = CardChange {
        seen: first,
        ..to("ben")
    };
    assert!(matches!(store.change_card(&again, 3, "Otto").unwrap(), Changed::Done(second) if second > first));
    let gone = CardChange {
        seen: first,
        row: None,
        ..to("ben")
    };
    assert!(matches!(
        store.change_card(&gone, 4, "Maria").unwrap(),
        Changed::Meanwhile(Some(_))
    ));
}

#[test]
fn what_the_platform_is_to_be_told_follows_the_card_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let writes = [("ana".into(), false), ("ben".into(), true)];
    let moved = CardChange {
        writes: &writes,
        ..to("ben")
    };
    store.change_card(&moved, 7, "Maria").unwrap();
    drop(store);
    let store = open(dir.path());
    let waiting = store.read().card_writes().unwrap();
    let told: Vec<_> = waiting.iter().map(|it| (it.person.as_str(), it.give)).collect();
    assert_eq!(told, [("ana", false), ("ben", true)]);
    store.finish_card_write(&waiting[0], 8).unwrap();
    assert_eq!(
        store.read().local_card(&card()).unwrap().unwrap().written_at,
        None
    );
    let revision = store.read().local_card(&card()).unwrap().unwrap().revision;
    assert_eq!(
        store.settle_cards(&[(card(), revision)]).unwrap(),
        0,
        "one still waits"
    );
    store.finish_card_write(&waiting[1], 9).unwrap();
    assert_eq!(
        store.read().local_card(&card()).unwrap().unwrap().written_at,
        Some(9)
    );
    assert_eq!(
        store.settle_cards(&[(card(), revision + 1)]).unwrap(),
        0,
        "another row"
    );
    assert_eq!(store.settle_cards(&[(card(), revision)]).unwrap(), 1);
    assert!(
        !store
            .note_card_write(&CardWrite {
                tries: 3,
                ..waiting[0].clone()
            })
            .unwrap()
    );
}

#[test]
fn a_guest_goes_with_the_card_and_a_block_knows_who_set_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let guest = Guest {
        id: "guest:1".into(),
        name: "Plumber".into(),
        from: 10,
        until: 20,
        groups: vec!["members".into()],
        doors: vec!["cellar".into()],
        by: "Maria".into(),
    };
    let mut change = to("guest:1");
    change.guest = Some(&guest);
    if let Some(row) = &mut change.row {
        row.kind = CardKind::Guest;
    }
    store.change_card(&change, 10, "Maria").unwrap();
    assert_eq!(store.read().guests().unwrap(), [guest]);
    assert_eq!(store.sweep_guests(20).unwrap(), 0);
    assert_eq!(store.sweep_guests(21).unwrap(), 1);
    assert_eq!(store.read().local_cards().unwrap(), []);

    let block = KeptBlock {
        block: Block {
            target: BlockTarget::Credential(card()),
            note: "lost".into(),
        },
        by: "Maria".into(),
        at: 5,
    };
    store.keep_block(&block).unwrap();
    assert_eq!(store.read().kept_blocks().unwrap(), [block]);
}
