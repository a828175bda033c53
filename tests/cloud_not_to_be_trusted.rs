//! A cloud that the gateway does not trust, and one that does not trust the gateway: said clearly, nothing lost.

use crate::{
    cloud_site::{CloudSite, Plan, members},
    harness::wait_for,
};
use doorward_peers::cloud::Faults;
use std::sync::Arc;

fn tls(name: &str) -> (Arc<rustls::ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), made.cert.pem())
}

#[test]
fn an_authority_that_is_not_named_is_not_trusted_and_once_named_is() {
    let (server, pem) = tls("localhost");
    let mut plan = Plan {
        cloud: "#ca_file = \"{dir}/ca.pem\"".into(),
        ..Plan::default()
    };
    plan.options.world = members(1);
    plan.options.tls = Some(server);
    let mut site = CloudSite::new(plan);
    site.gateway.start();
    let text = site.wait_for_fault("cloud_refused");
    assert!(
        text.contains("signed by nobody this gateway trusts") && text.contains("[cloud] ca_file"),
        "{text}"
    );
    assert_eq!(site.cloud.requests(), 0, "the token did not travel");

    std::fs::write(site.gateway.path().join("ca.pem"), pem).unwrap();
    let config = std::fs::read_to_string(site.gateway.config_path()).unwrap();
    site.gateway.configure(&config.replace("#ca_file", "ca_file"));
    site.settle();
    assert_eq!(
        (site.fault("cloud_refused"), site.tapped(0)),
        (None, "granted_plan".into())
    );
}

#[test]
fn a_token_that_is_not_accepted_keeps_check_ins_until_it_is() {
    let mut plan = Plan::default();
    plan.options.world = members(1);
    let mut site = CloudSite::start(plan);
    site.gateway.stop();
    site.gateway.secret("token", "another");
    site.gateway.start();
    let text = site.wait_for_fault("cloud_refused");
    assert!(
        text.contains("does not accept the token") && text.contains("token names"),
        "{text}"
    );
    assert_eq!(site.tapped(0), "granted_plan");
    wait_for("the check-in to wait", || {
        let faults = site.report()["faults"].to_string();
        if faults.contains("check_ins_waiting") {
            Ok(())
        } else {
            Err(faults)
        }
    });
    site.gateway.secret("token", site.cloud.token());
    site.gateway.signal("HUP");
    wait_for("the check-in", || match site.cloud.check_ins().len() {
        1 => Ok(()),
        count => Err(count),
    });
    wait_for("no faults", || {
        let report = site.report();
        if report["faults"] == serde_json::json!([]) {
            Ok(())
        } else {
            Err(report)
        }
    });
}

#[test]
fn a_cloud_whose_clock_is_wrong_is_named_and_its_facts_are_used() {
    let mut plan = Plan::default();
    plan.options.world = members(1);
    let mut site = CloudSite::new(plan);
    site.cloud.faults(Faults {
        clock_ahead: 3_600,
        ..Faults::default()
    });
    site.gateway.start();
    site.settle();
    let text = site.wait_for_fault("cloud_clock_skew");
    assert!(
        text.contains("59 minutes ahead") || text.contains("60 minutes ahead"),
        "{text}"
    );
    assert_eq!(site.tapped(0), "granted_plan");
    site.cloud.faults(Faults::default());
    site.sync_now();
    assert_eq!(site.fault("cloud_clock_skew"), None);
}
