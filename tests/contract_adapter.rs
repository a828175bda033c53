//! The contract's adapter against the reference cloud, over real sockets, with each fault.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    config::model::{HttpConfig, Reach},
    domain::{ClockQuality, secret::Secret},
    platform::{
        CheckIn, CheckInOutcome, ErrorKind, Fetched, Known, Platform, PlatformError, Retry,
        contract::ContractCloud,
    },
};
use doorward_peers::cloud::{Cloud, Faults, Line, Options, Pass, Throttle, World};
use std::{path::PathBuf, sync::Arc, time::Duration};

fn options() -> Options {
    let mut world = World::default();
    for number in 0..2_500_u32 {
        let (id, card) = (format!("p{number}"), format!("uid:04{number:012X}"));
        world.member(&id, "Ada", &card, "Flex");
    }
    Options {
        world,
        version: 7,
        ..Options::default()
    }
}
fn config(cloud: &Cloud) -> HttpConfig {
    HttpConfig {
        url: cloud.url().parse().unwrap(),
        token: Secret::new(cloud.token().to_owned()),
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_secs(5),
        },
    }
}
fn start() -> (Cloud, ContractCloud) {
    let cloud = Cloud::start(options()).unwrap();
    let adapter = ContractCloud::new(&config(&cloud)).unwrap();
    (cloud, adapter)
}
fn check_in(key: &str) -> CheckIn {
    CheckIn {
        key: key.into(),
        person: "p1".into(),
        door: "front".into(),
        at: 1_780_000_000_000,
        clock: ClockQuality::Trusted,
        late: false,
    }
}
/// The words without the port, which differs from run to run.
fn words(cloud: &Cloud, error: &PlatformError) -> String {
    error.to_string().replace(&cloud.url(), "CLOUD")
}
async fn fails(cloud: &Cloud, adapter: &ContractCloud) -> (PlatformError, String) {
    let error = adapter.fetch(None).await.unwrap_err();
    let words = words(cloud, &error);
    (error, words)
}

#[tokio::test]
async fn facts_arrive_page_by_page_and_unchanged_ones_do_not_travel_again() {
    let (cloud, adapter) = start();
    let Fetched::Facts {
        facts,
        etag,
        problems,
    } = adapter.fetch(None).await.unwrap()
    else {
        panic!("there is something to fetch")
    };
    assert_eq!(
        (facts.version, facts.people.len(), facts.memberships.len()),
        (7, 2_500, 2_500)
    );
    assert!(
        problems.is_empty() && cloud.requests() == 5,
        "five pages of 1,000"
    );
    let known = Known { version: 7, etag };
    assert_eq!(adapter.fetch(Some(&known)).await.unwrap(), Fetched::Unchanged);
    cloud.edit(|world| world.people[0].deactivated = true);
    let Fetched::Facts { facts, .. } = adapter.fetch(Some(&known)).await.unwrap() else {
        panic!("it changed")
    };
    assert_eq!((facts.version, facts.people[0].deactivated), (8, true));
}

#[tokio::test]
async fn a_broken_page_takes_nothing_and_says_so() {
    let (cloud, adapter) = start();
    let breaks = [
        (
            Faults {
                half_page: 1.0,
                ..Faults::default()
            },
            "broke off",
        ),
        (
            Faults {
                cut_json: 1.0,
                ..Faults::default()
            },
            "is cut off",
        ),
        (
            Faults {
                wrong_type: 1.0,
                ..Faults::default()
            },
            "is not as the contract says",
        ),
        (
            Faults {
                never_complete: true,
                ..Faults::default()
            },
            "neither complete nor leads to a next page",
        ),
        (
            Faults {
                repeats_page: true,
                ..Faults::default()
            },
            "its cursor leads back to an earlier page",
        ),
    ];
    for (faults, expected) in breaks {
        cloud.faults(faults.clone());
        let (error, words) = fails(&cloud, &adapter).await;
        assert!(
            error.kind == ErrorKind::Malformed && words.contains(expected),
            "{faults:?}: {words}"
        );
        assert!(
            error.retry() == Retry::Backoff && !words.contains("04A2B3C4"),
            "{words}"
        );
    }
    cloud.faults(Faults::default());
    assert!(adapter.fetch(None).await.is_ok(), "and then it goes on");
}

#[tokio::test]
async fn facts_that_keep_changing_are_begun_anew_a_bounded_number_of_times() {
    let (cloud, adapter) = start();
    for faults in [
        Faults {
            mixed_versions: true,
            ..Faults::default()
        },
        Faults {
            forgets_cursors: true,
            ..Faults::default()
        },
    ] {
        cloud.faults(faults);
        let before = cloud.requests();
        let (error, words) = fails(&cloud, &adapter).await;
        assert!(
            error.kind == ErrorKind::Malformed && words.contains("changed 4 times"),
            "{words}"
        );
        assert_eq!(cloud.requests() - before, 8, "four times two pages");
    }
}

#[tokio::test]
async fn a_version_that_goes_back_is_told_as_it_is() {
    let (cloud, adapter) = start();
    cloud.faults(Faults {
        version_back: 3,
        ..Faults::default()
    });
    let known = Known {
        version: 7,
        etag: Some("\"v6\"".into()),
    };
    let Fetched::Facts { facts, .. } = adapter.fetch(Some(&known)).await.unwrap() else {
        panic!("another version")
    };
    assert_eq!(facts.version, 4, "to hold it back is the caller's");
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_words_and_its_turn() {
    let (cloud, adapter) = start();
    cloud.faults(Faults {
        error_500: 1.0,
        ..Faults::default()
    });
    let (error, failed) = fails(&cloud, &adapter).await;
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unreachable, Retry::Backoff)
    );
    cloud.faults(Faults {
        throttle: Some(Throttle {
            every: 1,
            retry_after: 17,
        }),
        ..Faults::default()
    });
    let (error, throttled) = fails(&cloud, &adapter).await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(17)));
    cloud.faults(Faults {
        redirect: Some("http://elsewhere.example/".into()),
        ..Faults::default()
    });
    let (error, elsewhere) = fails(&cloud, &adapter).await;
    assert_eq!(error.kind, ErrorKind::Malformed);
    let stranger = HttpConfig {
        token: Secret::new("wrong".into()),
        ..config(&cloud)
    };
    let (error, unauthorised) = fails(&cloud, &ContractCloud::new(&stranger).unwrap()).await;
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Unauthorised, Retry::Rarely)
    );
    insta::assert_snapshot!([failed, throttled, elsewhere, unauthorised].join("\n\n"), @r#"
CLOUD failed with status 500, so this gateway could not fetch the facts ("a fault on request"); it tries again by itself; if that goes on, ask whoever runs the cloud

CLOUD asks for fewer requests, so this gateway could not fetch the facts ("too many requests"); it tries again later by itself

CLOUD answered with status 302, which the contract does not have here, so this gateway could not fetch the facts; check the address in [cloud] url

CLOUD does not accept the token, so this gateway could not fetch the facts ("the bearer token is not known"); put a valid one into the file that [cloud] token names
"#);
}

#[tokio::test]
async fn a_cloud_that_is_gone_slow_or_silent_is_unreachable_and_comes_back() {
    let (cloud, adapter) = start();
    let quick = HttpConfig {
        reach: Reach {
            ca_file: None,
            timeout: Duration::from_millis(300),
        },
        ..config(&cloud)
    };
    let quick = ContractCloud::new(&quick).unwrap();
    cloud.set_line(Line::Refusing);
    let (error, words) = fails(&cloud, &adapter).await;
    assert!(
        error.kind == ErrorKind::Unreachable && words.contains("cannot be reached"),
        "{words}"
    );
    cloud.set_line(Line::Hanging);
    let (error, words) = fails(&cloud, &quick).await;
    assert!(
        error.kind == ErrorKind::Unreachable && words.contains("did not answer within"),
        "{words}"
    );
    cloud.set_line(Line::Up);
    cloud.faults(Faults {
        slow: Some(Duration::from_secs(60)),
        ..Faults::default()
    });
    assert_eq!(fails(&cloud, &quick).await.0.kind, ErrorKind::Unreachable);
    cloud.faults(Faults::default());
    assert!(adapter.fetch(None).await.is_ok());
}

#[tokio::test]
async fn a_hint_comes_with_the_change_and_not_without_one() {
    let (cloud, adapter) = start();
    assert!(!adapter.wait_hint(7, Duration::ZERO).await.unwrap());
    assert!(
        adapter.wait_hint(6, Duration::from_secs(60)).await.unwrap(),
        "a version already there"
    );
    let waiting = tokio::spawn(async move { adapter.wait_hint(7, Duration::from_secs(60)).await });
    while cloud.requests() < 3 {
        tokio::task::yield_now().await;
    }
    cloud.edit(|world| world.people.truncate(1));
    assert!(waiting.await.unwrap().unwrap());
}

#[tokio::test]
async fn a_check_in_counts_once_however_often_it_is_delivered() {
    let (cloud, adapter) = start();
    cloud.edit(|world| {
        world.passes.push(Pass {
            id: "pass".into(),
            kind: "Day".into(),
            person: Some("p1".into()),
            left: Some(2),
            ..Pass::default()
        });
    });
    cloud.faults(Faults {
        lose_reply_after_commit: 1.0,
        ..Faults::default()
    });
    let lost = adapter.check_in(&check_in("site-1")).await.unwrap_err();
    assert_eq!(lost.retry(), Retry::Backoff, "{lost}");
    cloud.faults(Faults::default());
    let again = adapter.check_in(&check_in("site-1")).await.unwrap();
    let CheckInOutcome::Accepted {
        running_until: Some(until),
    } = again
    else {
        panic!("{again:?}")
    };
    assert_eq!(until, 1_780_000_000_000 + 12 * 3_600_000);
    let taken = cloud.check_ins();
    assert_eq!((taken.len(), taken[0].deliveries), (1, 2));
    assert_eq!(
        cloud.edit(|world| world.passes[0].left),
        Some(1),
        "one pass for one entry"
    );

    let other = CheckIn {
        door: "back".into(),
        ..check_in("site-1")
    };
    let error = adapter.check_in(&other).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry()),
        (ErrorKind::Rejected { status: 422 }, Retry::Never)
    );
}

/// R30: the guides are silent on a check-in that is refused; the platforms' documents know one.
#[tokio::test]
async fn a_refused_check_in_is_an_answer_and_no_failure() {
    let (cloud, adapter) = start();
    cloud.edit(|world| world.people[1].deactivated = true);
    let outcome = adapter.check_in(&check_in("site-2")).await.unwrap();
    let reason = "the member is deactivated".to_owned();
    assert_eq!(outcome, CheckInOutcome::Refused { reason });
}

#[tokio::test]
async fn a_card_goes_to_one_person_only() {
    let (cloud, adapter) = start();
    let card = "wiegand26:12-3456".parse().unwrap();
    for _ in 0..2 {
        adapter.assign_credential(&"p1".into(), &card).await.unwrap();
    }
    assert_eq!(
        cloud.edit(|world| world.people[1].credentials.len()),
        2,
        "once, beside the first card"
    );
    let error = adapter.assign_credential(&"p2".into(), &card).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 409 });
    assert!(
        error.to_string().contains("person p1 holds this card") && !error.to_string().contains("wiegand")
    );
    adapter.remove_credential(&"p1".into(), &card).await.unwrap();
    adapter.assign_credential(&"p2".into(), &card).await.unwrap();
    let error = adapter
        .assign_credential(&"no/body".into(), &card)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected { status: 404 });
}

#[tokio::test]
async fn facts_that_contradict_themselves_lose_the_item_and_in_number_the_whole_set() {
    let (cloud, adapter) = start();
    cloud.edit(|world| {
        let mut twin = world.people[5].clone();
        twin.name = "Somebody else".into();
        world.people.push(twin);
        world.memberships[3].starts = Some("2026-06-02".into());
        world.memberships[3].ends = Some("2026-05-31".into());
        world.memberships[4].person = Some("nobody".into());
        world.people[6].credentials.push("fob 1234".into());
    });
    let Fetched::Facts { facts, problems, .. } = adapter.fetch(None).await.unwrap() else {
        panic!("it changed")
    };
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
people p6: has a card, number 2 of 2, that cannot be read (a card number needs its scheme, for example uid:04A2B3C4D5E680); the card is left out
people p5: is listed twice with different contents; opens nothing until that is put right
memberships m-p3: ends before it begins; left out
memberships m-p4: names person nobody, who is not among the people; left out
"#);
    assert_eq!((facts.people.len(), facts.memberships.len()), (2_500, 2_498));
    assert!(facts.people[5].deactivated, "a person in doubt opens nothing");

    cloud.edit(|world| {
        for membership in world.memberships.iter_mut().take(200) {
            membership.starts = Some("soon".into());
        }
    });
    let (error, words) = fails(&cloud, &adapter).await;
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(
        words.contains("202 of 5001 items") && words.contains("so none are taken"),
        "{words}"
    );
}

/// A cloud on TLS with a certificate of its own, for `localhost` or another name, and that certificate's PEM.
fn secure(name: &str) -> (Cloud, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let cloud = Cloud::start(Options {
        tls: Some(Arc::new(tls)),
        ..options()
    })
    .unwrap();
    (cloud, made.cert.pem())
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let trusting = |cloud: &Cloud, pem: &str| {
        let path: PathBuf = folder.path().join("ca.pem");
        std::fs::write(&path, pem).unwrap();
        ContractCloud::new(&HttpConfig {
            reach: Reach {
                ca_file: Some(path),
                timeout: Duration::from_secs(5),
            },
            ..config(cloud)
        })
    };
    let (cloud, pem) = secure("localhost");
    assert!(trusting(&cloud, &pem).unwrap().fetch(None).await.is_ok());
    let (_, other) = secure("localhost");
    let (error, unknown) = fails(&cloud, &trusting(&cloud, &other).unwrap()).await;
    assert_eq!((error.kind, error.retry()), (ErrorKind::Tls, Retry::Rarely));
    let (misnamed, pem) = secure("elsewhere.example");
    let (error, name) = fails(&misnamed, &trusting(&misnamed, &pem).unwrap()).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert_eq!(
        trusting(&cloud, "no certificate").unwrap_err().kind,
        ErrorKind::Tls
    );
    insta::assert_snapshot!([unknown, name].join("\n\n"), @r#"
CLOUD is not to be trusted: its certificate is signed by nobody this gateway trusts; if it has an authority of its own, name it in [cloud] ca_file

CLOUD is not to be trusted: its certificate is made out to another name; check the address in [cloud] url
"#);
}

#[tokio::test]
async fn a_token_never_travels_in_the_clear_beyond_this_machine() {
    let (cloud, _) = start();
    let plain = HttpConfig {
        url: "http://cloud.example/".parse().unwrap(),
        ..config(&cloud)
    };
    let error = ContractCloud::new(&plain).unwrap_err();
    assert!(error.to_string().contains("must begin with https://"), "{error}");
}
