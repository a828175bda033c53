//! The configuration file is edited, replaced, swapped behind a link or taken away, or SIGHUP arrives: each is noticed once.

use doorward::config::{ConfigWatch, Trigger};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// Long enough for a busy machine; a test that waits for it in vain has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The next trigger of this kind. A signal reaches every watch of the process, and so every test.
async fn trigger(watch: &mut ConfigWatch, kind: Trigger) -> bool {
    let next = async { while watch.changed().await != kind {} };
    timeout(PATIENCE, next).await.is_ok()
}

fn write(path: &Path, text: &str) {
    assert!(std::fs::write(path, text).is_ok());
}

#[tokio::test]
async fn an_edit_a_rename_and_a_removal_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorward.toml");
    write(&file, "one");
    let mut watch = ConfigWatch::start(&file).unwrap();
    assert_eq!(watch.degraded(), None);

    write(&file, "two");
    assert!(trigger(&mut watch, Trigger::File).await, "written in place");

    let fresh = folder.path().join(".doorward.toml.swp");
    write(&fresh, "three");
    std::fs::rename(&fresh, &file).unwrap();
    assert!(trigger(&mut watch, Trigger::File).await, "an editor's rename");

    std::fs::remove_file(&file).unwrap();
    assert!(trigger(&mut watch, Trigger::File).await, "taken away");
    write(&file, "three");
    assert!(trigger(&mut watch, Trigger::File).await, "back");

    // Neighbours and a rewrite of the same content are no change: the next trigger is that of the last edit.
    write(&folder.path().join("other"), "x");
    write(&file, "three");
    write(&file, "four");
    assert!(trigger(&mut watch, Trigger::File).await);
    let more = async { while watch.changed().await != Trigger::File {} };
    let more = timeout(Duration::from_millis(500), more).await;
    assert!(more.is_err(), "one edit, one trigger");
}

#[tokio::test]
async fn a_swapped_link_is_noticed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [("v1", "one"), ("v2", "two")] {
        std::fs::create_dir(at(name)).unwrap();
        write(&at(name).join("doorward.toml"), text);
    }
    symlink("v1", at("..data")).unwrap();
    symlink("..data/doorward.toml", at("doorward.toml")).unwrap();
    let mut watch = ConfigWatch::start(&at("doorward.toml")).unwrap();

    symlink("v2", at("..new")).unwrap();
    std::fs::rename(at("..new"), at("..data")).unwrap();
    assert!(trigger(&mut watch, Trigger::File).await);

    write(&at("v2").join("doorward.toml"), "three");
    assert!(
        trigger(&mut watch, Trigger::File).await,
        "the new target is watched"
    );
}

#[tokio::test]
async fn a_swapped_link_to_its_folder_is_noticed_and_so_is_what_happens_behind_it() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [("r1", "one"), ("r2", "two")] {
        std::fs::create_dir_all(at(name).join("etc")).unwrap();
        write(&at(name).join("etc/doorward.toml"), text);
    }
    symlink("r1", at("current")).unwrap();
    let mut watch = ConfigWatch::start(&at("current/etc/doorward.toml")).unwrap();
    assert_eq!(watch.degraded(), None);

    symlink("r2", at("next")).unwrap();
    std::fs::rename(at("next"), at("current")).unwrap();
    assert!(trigger(&mut watch, Trigger::File).await, "the link");
    write(&at("r2/etc/doorward.toml"), "three");
    assert!(trigger(&mut watch, Trigger::File).await, "behind the link");
}

#[tokio::test]
async fn sighup_is_a_trigger_though_the_file_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorward.toml");
    write(&file, "one");
    let mut watch = ConfigWatch::start(&file).unwrap();
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).unwrap();
    assert!(trigger(&mut watch, Trigger::Signal).await);
}
