//! Secrets come from files that only the gateway may read, or from systemd; and they never show.

use doorward::config::{Config, Environment, Findings, Purpose, parse};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }
    fn read(&self, token: &str, purpose: Purpose, credentials: Option<&Path>) -> (Option<Config>, Findings) {
        let text = format!(
            "[site]\nid = \"s\"\nzone = \"UTC\"\n[cloud]\nkind = \"contract\"\nurl = \"https://c.example\"\ntoken = {token}\n"
        );
        let environment = Environment {
            credentials: credentials.map(Path::to_owned),
            ..Environment::default()
        };
        parse(&self.0.path().join("doorward.toml"), text, purpose, &environment)
    }
    fn error(&self, token: &str) -> String {
        let (config, findings) = self.read(token, Purpose::Run, None);
        assert!(config.is_none());
        findings
            .to_string()
            .replace(&self.0.path().display().to_string(), "DIR")
    }
}

fn token(config: Option<Config>) -> String {
    match config.unwrap().cloud {
        doorward::config::model::CloudConfig::Contract(http) => http.token.reveal().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secret_is_read_from_its_file_or_credential() {
    let folder = Folder::new();
    folder.file("token", "abc-123\n", 0o600);
    let (config, findings) = folder.read("{ file = \"token\" }", Purpose::Run, None);
    assert!(findings.errors.is_empty(), "{findings}");
    assert!(!format!("{config:?}").contains("abc-123"));
    assert_eq!(token(config), "abc-123");

    let (config, _) = folder.read("{ credential = \"token\" }", Purpose::Run, Some(folder.0.path()));
    assert_eq!(token(config), "abc-123");

    folder.file("shared", "abc-124", 0o640);
    let (config, _) = folder.read("{ file = \"shared\", group_readable = true }", Purpose::Run, None);
    assert_eq!(token(config), "abc-124");
}

#[test]
fn a_secret_that_is_not_safe_is_refused() {
    let folder = Folder::new();
    folder.file("open", "abc", 0o644);
    folder.file("group", "abc", 0o640);
    folder.file("empty", "\n", 0o600);
    folder.file("two", "abc\ndef\n", 0o600);
    folder.file("spaces", "Bearer abc", 0o600);
    let told: Vec<String> = [
        "\"hunter2\"",
        "{ file = \"open\" }",
        "{ file = \"open\", group_readable = true }",
        "{ file = \"group\" }",
        "{ file = \"empty\" }",
        "{ file = \"two\" }",
        "{ file = \"spaces\" }",
        "{ file = \"absent\" }",
        "{ file = \".\" }",
        "{ file = \"open\", credential = \"x\" }",
        "{ }",
        "{ group_readable = true }",
        "{ file = 5 }",
        "{ credential = \"../x\" }",
        "{ credential = \"token\" }",
        "{ fiel = \"open\" }",
        "5",
    ]
    .map(|text| folder.error(text))
    .into();
    let told = told.join("\n\n");
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn whoever_only_looks_need_not_have_the_credentials() {
    let folder = Folder::new();
    let (config, findings) = folder.read("{ credential = \"token\" }", Purpose::Inspect, None);
    assert!(config.is_some() && findings.warnings.len() == 1, "{findings}");
}

#[test]
fn the_default_key_of_osdp_is_no_key() {
    let folder = Folder::new();
    folder.file("default", "303132333435363738393A3B3C3D3E3F", 0o600);
    folder.file("short", "30313233", 0o600);
    folder.file("good", "00112233445566778899AABBCCDDEEFF", 0o600);
    let read = |keys: [&str; 2]| {
        let reader = |index: usize, key: &str| {
            format!(
                "[[line.reader]]\nid = \"r{index}\"\naddress = {index}\ndoor = \"d\"\nkey = {{ file = \"{key}\" }}\n"
            )
        };
        let text = format!(
            "[site]\nid = \"s\"\nzone = \"UTC\"\n[[door]]\nid = \"d\"\n[[line]]\nid = \"l\"\npath = \"/dev/l\"\n{}{}",
            reader(0, keys[0]),
            reader(1, keys[1])
        );
        parse(
            &folder.0.path().join("x.toml"),
            text,
            Purpose::Run,
            &Environment::default(),
        )
    };
    let (config, findings) = read(["default", "short"]);
    assert!(config.is_none());
    assert!(findings.errors[0].what.contains("everybody knows"), "{findings}");
    assert!(
        findings.errors[1].what.contains("does not hold an OSDP key"),
        "{findings}"
    );
    let (config, _) = read(["good", "good"]);
    assert_eq!(config.unwrap().warnings.len(), 1, "the same key twice");
}

#[test]
fn the_brokers_private_key_is_private() {
    let folder = Folder::new();
    folder.file("cert.pem", "", 0o644);
    let read = || {
        let text = "[site]\nid = \"s\"\nzone = \"UTC\"\n[mqtt]\nurl = \"mqtts://b\"\n\
            client_cert_file = \"cert.pem\"\nclient_key_file = \"key.pem\"\n";
        parse(
            &folder.0.path().join("x.toml"),
            text.into(),
            Purpose::Run,
            &Environment::default(),
        )
    };
    folder.file("key.pem", "", 0o644);
    let (config, findings) = read();
    assert!(
        config.is_none() && findings.errors[0].what.contains("everybody"),
        "{findings}"
    );
    folder.file("key.pem", "", 0o640);
    let (config, findings) = read();
    assert!(config.unwrap().mqtt.unwrap().client_cert.is_some(), "{findings}");
}
