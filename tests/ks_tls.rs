//! SALTO KS behind certificates of the site's own authority: nothing is sent before it is named in `[ks] ca_file`; then
//! requests go over https and the stream over wss.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, members, tag},
    mqtt_site::Authority,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::sync::Arc;

fn server(authority: &Authority) -> Arc<rustls::ServerConfig> {
    let (cert, key) = authority.issue("ks", &["localhost"]);
    let cert = CertificateDer::from_pem_file(cert).unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    Arc::new(config)
}

#[test]
fn an_authority_of_the_sites_own_is_trusted_once_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "site");
    let mut site = KsSite::new(Plan {
        world: members(3),
        house: House::small(),
        ks: format!("#ca_file = \"{}\"", authority.ca.display()),
        tls: Some(server(&authority)),
        ..Plan::default()
    });
    // Pages lead on over TLS as well.
    site.ks.manners(|manners| manners.most = 2);
    site.gateway.start();
    site.settle();
    let text = site.wait_for_fault("ks_unreachable");
    assert!(text.contains("signed by nobody this gateway trusts"), "{text}");
    assert_eq!(site.ks.asked(), [], "no password and no secret travelled");
    let config = std::fs::read_to_string(site.gateway.config_path()).unwrap();
    site.gateway.configure(&config.replace("#ca_file", "ca_file"));
    site.gateway.signal("HUP");
    wait_for("a plan", || {
        let (status, _, error) = site.gateway.command(&["ks", "plan"]);
        if status == 0 { Ok(()) } else { Err(error) }
    });
    site.applied();
    site.wait_in_step();
    site.wait_for_empty_plan();
    assert_eq!(site.fault("ks_unreachable"), None);
    // Heard over wss.
    wait_for("the stream", || {
        let report = site.gateway.report();
        let entries = &report["sections"]["ks_entries"];
        let stands = entries["connected"] == true && entries["complete_until"].is_i64();
        if stands { Ok(()) } else { Err(report) }
    });
    let before = site
        .ks
        .asked()
        .iter()
        .filter(|asked| asked.path.ends_with("/entries"))
        .count();
    let now = site.ks.now();
    assert!(site.ks.open_lock_with_tag("Front door", &tag(1), now).opened());
    wait_for("the event", || {
        let events = site.gateway.events();
        let came = events.iter().any(|event| event["reason"] == "granted_by_ks");
        if came { Ok(()) } else { Err(events) }
    });
    let after = site
        .ks
        .asked()
        .iter()
        .filter(|asked| asked.path.ends_with("/entries"))
        .count();
    assert!(
        after <= before + 1,
        "the stream brought it: {before} questions before, {after} after"
    );
}
