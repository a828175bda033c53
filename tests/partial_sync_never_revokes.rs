//! Whatever arrives in part, the doors go on with the last complete facts, and the gateway says so.

use crate::cloud_site::{CloudSite, Plan, members};
use doorward_peers::cloud::Faults;
use std::time::Duration;

#[test]
fn half_a_page_takes_no_right_away() {
    let mut plan = Plan::default();
    plan.options.world = members(600); // 1,200 items: two pages
    let site = CloudSite::start(plan);
    let calm = Faults::default;
    #[rustfmt::skip]
    let faults = [
        (Faults { half_page: 1.0, ..calm() }, "cloud_facts_unusable", "broke off"),
        (Faults { cut_json: 1.0, ..calm() }, "cloud_facts_unusable", "is cut off"),
        (Faults { wrong_type: 1.0, ..calm() }, "cloud_facts_unusable", "is not as the contract says"),
        (Faults { never_complete: true, ..calm() }, "cloud_facts_unusable", "neither complete nor"),
        (Faults { mixed_versions: true, ..calm() }, "cloud_facts_unusable", "changed 4 times"),
        (Faults { forgets_cursors: true, ..calm() }, "cloud_facts_unusable", "changed 4 times"),
        (Faults { later_pages_fail: true, ..calm() }, "cloud_unreachable", "failed with status 500"),
        (Faults { error_500: 1.0, ..calm() }, "cloud_unreachable", "failed with status 500"),
        (Faults { slow: Some(Duration::from_secs(60)), ..calm() }, "cloud_unreachable", "did not answer within 2 s"),
    ];
    let mut version = site.cloud.version();
    for (gone, (fault, key, words)) in faults.into_iter().enumerate() {
        site.cloud.faults(fault);
        site.cloud
            .edit(|world| world.memberships.retain(|it| it.id != format!("m-p{gone}")));
        let (status, said) = site.sync_now();
        assert!(status != 0 && said.contains(words), "{said}");
        let text = site.fault(key).unwrap();
        assert!(text.contains(words), "{text}");
        let shown = site.sync_status();
        assert_eq!(
            (&shown["version"], &shown["grants"]),
            (&version.into(), &(600 - gone).into())
        );
        assert!(shown["last_error"].as_str().unwrap().contains(words), "{shown}");
        assert_eq!(site.reason(gone), "granted_plan");
        assert_eq!(site.tapped(gone), "granted_plan");

        site.cloud.faults(calm());
        version = site.cloud.version();
        let (status, said) = site.sync_now();
        assert_eq!(status, 0, "{said}");
        assert_eq!(site.fault(key), None);
        assert_eq!(site.reason(gone), "no_grant", "and now it is known for certain");
    }
}
