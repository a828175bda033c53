//! CSV in and out: a dry run changes nothing, every bad row has its line, numbers are masked unless asked for.

use crate::{
    cloud_site::card,
    desk_site::{fob, site, uid},
};
use std::fs;

#[test]
fn an_import_names_every_bad_row_and_does_the_others() {
    let site = site(4);
    let theirs = card(3);
    let text = format!(
        "email,id,Card\n,p0,{}\n,p1,{}\n,p2,{}\n,nobody,{}\n,p1,{theirs}\n,p3,{theirs}\n,p2,08A1B2C3\n",
        fob(1),
        fob(2),
        fob(1),
        fob(4),
    );
    let path = site.gateway.path().join("fobs.csv");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    let (status, out, error) = site.gateway.command(&["cards", "import", &path, "--dry-run"]);
    assert_eq!(status, 1, "{error}");
    assert!(
        out.contains("2 cards would be given, 0 were so already, 5 rows cannot be done"),
        "{out}"
    );
    for (line, why) in [
        (4, "stands in line 2"),
        (5, "nobody here is called"),
        (6, "Member 3's"),
        (7, "stands in line 6"),
        (8, "random"),
    ] {
        let found = out.lines().find(|it| it.starts_with(&format!("line {line}:")));
        assert!(found.is_some_and(|it| it.contains(why)), "line {line}: {out}");
    }
    assert_eq!(site.present(&fob(1)).0, "unknown_credential", "a dry run");
    let (_, out, _) = site.gateway.command(&["cards", "import", &path]);
    assert!(out.contains("2 cards given"), "{out}");
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p0".into()));
    let (_, out, _) = site.gateway.command(&["cards", "import", &path]);
    assert!(out.contains("0 cards given, 2 were so already"), "{out}");

    let (_, masked, _) = site.gateway.command(&["cards", "export"]);
    assert!(!masked.contains(&fob(1)) && masked.contains("uid:…"), "{masked}");
    let (_, whole, _) = site.gateway.command(&["cards", "export", "--reveal"]);
    assert!(whole.contains(&uid(1)) && whole.contains(&card(0)), "{whole}");
    // What was exported says nothing new: guests and blocked cards are in it too.
    let guest = [
        "cards",
        "guest",
        &uid(7),
        "--name",
        "Plumber",
        "--group",
        "members",
    ];
    assert_eq!(site.gateway.command(&guest).0, 0);
    assert_eq!(
        site.gateway
            .command(&["cards", "block", &uid(1), "--note", "lost"])
            .0,
        0
    );
    let (_, whole, _) = site.gateway.command(&["cards", "export", "--reveal"]);
    fs::write(&path, &whole).unwrap();
    let (status, out, error) = site.gateway.command(&["cards", "import", &path, "--dry-run"]);
    let all = whole.lines().count() - 1;
    let expected = format!("0 cards would be given, {all} were so already, 0 rows cannot be done");
    assert!(status == 0 && out.contains(&expected), "{out}{error}");

    let (_, listed, _) = site.gateway.command(&["cards", "list", "--search", "member 0"]);
    assert!(
        listed.contains("Member 0") && !listed.contains("Member 1") && !listed.contains(&fob(1)),
        "{listed}"
    );
    let (_, shown, _) = site.gateway.command(&["cards", "show", &uid(1)]);
    assert!(shown.contains("Member 0") && !shown.contains(&fob(1)), "{shown}");
}
