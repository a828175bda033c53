//! The gateway's own page as a browser reaches it: TLS, headers, limits; and nothing without `[page]`.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::wait_for,
    page_site::{PageSite, layout},
};
use std::net::TcpListener;

#[test]
fn the_page_has_a_certificate_of_its_own_and_keeps_it() {
    let mut site = PageSite::start();
    let (address, client) = (site.address(), site.client());
    let answer = site.send(client.get(&address));
    assert!(
        answer
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert!(!answer.header("content-security-policy").contains("unsafe"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(
        !answer.headers.contains_key("strict-transport-security"),
        "an own certificate may be made anew"
    );
    let fingerprint = site.gateway.report()["sections"]["page"]["fingerprint"].clone();
    assert!(
        site.gateway.log().contains(fingerprint.as_str().unwrap()),
        "also on the console"
    );

    site.gateway.stop();
    site.gateway.start();
    let again = site.send(client.get(site.address()));
    assert_eq!(
        again.status, answer.status,
        "the same certificate after a restart"
    );
    assert_eq!(
        site.gateway.report()["sections"]["page"]["fingerprint"],
        fingerprint
    );

    let large = client.post(site.address()).body(vec![b'x'; 300 << 10]);
    assert_eq!(site.send(large).status.as_u16(), 413);
}

#[test]
fn a_port_that_is_taken_is_a_fault_and_ends_by_itself() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let site = PageSite::with(&format!("listen = \"127.0.0.1:{port}\""));
    let text = wait_for("the fault", || {
        let faults = site.gateway.report()["faults"].clone();
        let found = faults.as_array().unwrap().iter();
        let mut found = found.filter(|fault| fault["key"] == "page_unreachable");
        found.next().map(|fault| fault["text"].to_string()).ok_or(faults)
    });
    assert!(
        text.contains(&port.to_string()) && text.contains("[page] listen"),
        "{text}"
    );
    drop(holder);
    assert!(site.address().ends_with(&port.to_string()));
    assert_eq!(site.gateway.report()["faults"].as_array().unwrap().len(), 0);
}

#[test]
fn a_page_comes_and_goes_with_its_configuration() {
    let mut site = PageSite::prepared("listen = \"127.0.0.1:0\"");
    let without = layout("").text().replace("[page]\n", "");
    site.gateway.configure(&without);
    site.gateway.start();
    assert!(
        site.gateway.report()["sections"]["page"].is_null(),
        "nothing is named, nothing listens"
    );
    assert!(!site.gateway.path().join("state/page.pem").exists());
    site.gateway.configure(layout("listen = \"127.0.0.1:0\"").text());
    let (address, client) = (site.address(), site.client());
    site.send(client.get(&address));
    site.gateway.configure(&without);
    wait_for("nobody there", || {
        match site.block_on(client.get(&address).send()) {
            Ok(answer) => Err(answer.status()),
            Err(_) => Ok(()),
        }
    });
}

#[test]
fn the_page_comes_from_the_gateway_alone_packed_and_only_once() {
    let site = PageSite::start();
    let (address, client) = (site.address(), site.client());
    let document = site.send(client.get(&address));
    assert_eq!(
        document.status, 200,
        "nobody is signed in, and the page asks who it is"
    );
    assert_eq!(document.header("cache-control"), "no-cache");
    let asked = client
        .get(&address)
        .header("if-none-match", document.header("etag"));
    assert_eq!(site.send(asked).status, 304);
    let names = document
        .text
        .split('"')
        .filter(|text| text.starts_with("/assets/"));
    let names: std::collections::BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        let asked = client
            .get(format!("{address}{name}"))
            .header("accept-encoding", "gzip");
        let answer = site.send(asked);
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.header("cache-control").contains("immutable"), "{name}");
        // The name of a kind of document is no address.
        let text = answer.text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.is_empty() && !text.contains("://"), "{name}");
    }
    let main = names.iter().find(|name| name.ends_with("main.js")).unwrap();
    let before = main.replace("/assets/", "/assets/0");
    let old = site.send(client.get(format!("{address}{before}")));
    assert_eq!(
        (old.status.as_u16(), old.header("cache-control")),
        (200, "no-cache"),
        "another version"
    );
    let lost = site.send(client.get(format!(
        "{address}{}",
        main.replace("main.js", "../../index.html")
    )));
    assert_eq!(lost.status, 404);
}
