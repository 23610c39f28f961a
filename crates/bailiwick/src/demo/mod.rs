//! The playbook's case study with real parts: a session on a client's papers, an attack from inside, the report, the check.

pub(crate) mod agent;
mod documents;
mod http;
mod place;
pub(crate) mod red_team;
mod stage;
mod story;

use crate::cli::DemoArgs;
use crate::exit::{DONE, Failure, NEGATIVE};
use crate::print;
use crate::settings::Settings;

/// Plays all acts; the exit code says whether everything was as it should be.
pub(crate) fn run(args: &DemoArgs, settings: &Settings) -> Result<u8, Failure> {
    let place = place::Place::make(args, settings)?;
    let model = args.model.clone().or_else(|| settings.model.clone());
    let teller = story::Teller { silent: args.json };
    teller.opening(&place, model.as_deref());
    let story = stage::play(&place, model.as_deref(), settings, &teller)?;
    if args.json {
        print::json(&story);
    } else {
        story.tell();
    }
    Ok(if story.is_as_it_should_be() { DONE } else { NEGATIVE })
}
