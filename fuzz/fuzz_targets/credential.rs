//! Any text is refused or is a credential that its own text and its own key give back.
#![no_main]

use doorward::domain::Credential;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(credential) = data
        .first_chunk::<12>()
        .and_then(|key| Credential::from_key(*key))
    {
        assert_eq!(credential.key().as_slice(), &data[..12]);
    }
    if let Some((bits, telegram)) = data.split_first() {
        let _ = Credential::wiegand(usize::from(*bits), telegram);
        let _ = Credential::uid(telegram);
    }
    let Ok(credential) = std::str::from_utf8(data)
        .unwrap_or_default()
        .parse::<Credential>()
    else {
        return;
    };
    assert_eq!(credential.reveal_in_full().parse(), Ok(credential));
    assert_eq!(Credential::from_key(credential.key()), Some(credential));
    assert!(credential.masked().len() <= 16);
});
