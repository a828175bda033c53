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
