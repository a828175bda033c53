//! Asking a contactless reader for a card's UID (PC/SC part 3, 3.2.2.1.3; ACS reference manuals). Pure.

use crate::domain::{
    Credential, CredentialError,
    say::{Said, readers as say},
};

/// GET DATA: the UID, first byte on air first, however long it is.
pub(super) const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];
/// How often the reader may say "again".
const TRIES: u8 = 3;

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this.
    Send([u8; 5]),
    /// That is it.
    Done(Result<Credential, Refusal>),
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `6A 81`, `6D 00`, `6E 00`, `68 xx`.
    Unsupported,
    /// No status word at all: some drivers say so when the card goes in the middle.
    TakenAway,
    /// `63 00`.
    Failed,
    /// Not 4, 7 or 10 bytes.
    Length,
    /// Anything else.
    Strange(u8, u8),
}

impl Refusal {
    /// In words.
    pub(super) fn said(self) -> Said {
        match self {
            Self::Unsupported => say::reader_no_number(),
            Self::TakenAway => say::reader_taken_away(),
            Self::Failed => say::reader_failed(),
            Self::Length => say::reader_length(),
            Self::Strange(one, other) => say::reader_strange(format!("{one:02X} {other:02X}")),
        }
    }
}

/// One question.
#[derive(Debug, Default)]
pub(super) struct Asking {
    tries: u8,
}

impl Asking {
    /// Takes an answer with its status word.
    pub(super) fn answered(&mut self, answer: &[u8]) -> Next {
        self.tries += 1;
        let again = self.tries < TRIES;
        let [data @ .., first, second] = answer else {
            return Next::Done(Err(Refusal::TakenAway));
        };
        match (first, second) {
            (0x90, 0x00) => Next::Done(read(data)),
            // Fewer bytes than were asked for: the number is whole all the same.
            (0x62, 0x82) if !data.is_empty() => Next::Done(read(data)),
            // Wrong Le; the second byte is the right one.
            (0x6C, length) if again => Next::Send([0xFF, 0xCA, 0x00, 0x00, *length]),
            (0x63, 0x00) | (0x62, 0x82) if again => Next::Send(GET_UID),
            (0x63, 0x00) | (0x62, 0x82) => Next::Done(Err(Refusal::Failed)),
            (0x6A, 0x81) | (0x6D | 0x6E, 0x00) | (0x68, _) => Next::Done(Err(Refusal::Unsupported)),
            (first, second) => Next::Done(Err(Refusal::Strange(*first, *second))),
        }
    }
}

fn read(data: &[u8]) -> Result<Credential, Refusal> {
    Credential::uid(data).map_err(|error| match error {
        CredentialError::BadLength => Refusal::Length,
        _ => Refusal::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(answers: &[&[u8]]) -> (usize, Result<Credential, Refusal>) {
        let mut asking = Asking::default();
        for (number, answer) in answers.iter().enumerate() {
            if let Next::Done(done) = asking.answered(answer) {
                return (number + 1, done);
            }
        }
        panic!("asked for more than {answers:?}")
    }

    const UID: &[u8] = &[0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80, 0x90, 0x00];

    #[test]
    fn every_status_of_the_manuals_ends_in_a_number_or_a_reason() {
        let card = Ok("uid:04A2B3C4D5E680".parse().unwrap());
        assert_eq!(ended(&[UID]), (1, card));
        assert_eq!(ended(&[&[0x6C, 0x07], UID]), (2, card));
        assert_eq!(
            Asking::default().answered(&[0x6C, 0x07]),
            Next::Send([0xFF, 0xCA, 0, 0, 7])
        );
        assert_eq!(
            ended(&[&[0x71, 0x86, 0xA6, 0x1E, 0x62, 0x82]]).1,
            Ok("uid:7186A61E".parse().unwrap())
        );
        assert_eq!(
            ended(&[&[0x63, 0x00], UID]),
            (2, card),
            "the card was still being laid down"
        );
        assert_eq!(ended(&[&[0x63, 0x00][..]; 3]), (3, Err(Refusal::Failed)));
        assert_eq!(ended(&[&[0x62, 0x82][..]; 3]), (3, Err(Refusal::Failed)));
        assert_eq!(ended(&[&[0x6A, 0x81]]).1, Err(Refusal::Unsupported));
        assert_eq!(
            ended(&[&[0x6C, 0x07][..]; 3]),
            (3, Err(Refusal::Strange(0x6C, 0x07)))
        );
        assert_eq!(
            ended(&[&[1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00]]).1,
            Err(Refusal::Length)
        );
        assert_eq!(ended(&[&[0x90, 0x00]]).1, Err(Refusal::Length));
        assert_eq!(ended(&[&[]]).1, Err(Refusal::TakenAway));
    }
}
