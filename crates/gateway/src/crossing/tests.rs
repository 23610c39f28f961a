use super::*;
use crate::session::Door;
use dlp::{Detectors, Masker};
use schema::{SessionId, Trust};

/// Content whose inspection goes wrong.
enum Content {
    Crashes,
    PassesABound,
    IsFine,
}

impl Inspectable for Content {
    fn mask_all(self, _: Masker<'_>) -> Result<Self, dlp::Error> {
        match self {
            Self::Crashes => panic!("deliberate"),
            Self::PassesABound => Err(dlp::Error::VaultFull),
            Self::IsFine => Ok(self),
        }
    }

    fn opaque(&self) -> bool {
        false
    }
}

fn subject() -> Subject {
    Subject {
        session_id: SessionId::parse("ses-1").unwrap(),
        user_id: Token::lossy("user"),
        agent_id: Token::lossy("agent"),
        purpose: None,
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    }
}

#[test]
fn what_crashes_while_it_is_inspected_is_refused_and_the_session_goes_on() {
    let door = Door::of_session(subject(), &[1; 32]);
    let inspect = |content| {
        let caller = door.identify(&http::HeaderMap::new()).ok().unwrap();
        inspect(Authenticated::new(caller, content), &Detectors::standard()).map(|_| ())
    };
    assert_eq!(inspect(Content::Crashes), Err(RefusalCode::InspectionFailed));
    assert_eq!(inspect(Content::PassesABound), Err(RefusalCode::InspectionBound));
    assert_eq!(inspect(Content::IsFine), Ok(()));
}
