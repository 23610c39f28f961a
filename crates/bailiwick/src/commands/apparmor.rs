//! The AppArmor profile that lets this program make user namespaces where AppArmor restricts them.

use crate::exit::{DONE, Failure, REFUSED};
use crate::print;
use std::path::Path;

const PROFILE: &str = include_str!("../../../../contrib/apparmor/bailiwick");
/// Where the profile expects the program.
const USUAL: &str = "/usr/{,local/}bin/bailiwick";

/// Prints the profile for the program that runs.
pub(super) fn print_profile() -> Result<u8, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(REFUSED, format_args!("cannot find this program: {error}")))?;
    print::text(&profile_for(&program).map_err(|reason| Failure::new(REFUSED, reason))?);
    Ok(DONE)
}

/// The profile with the program's place in it. A place that a profile would read as a pattern is refused.
fn profile_for(program: &Path) -> Result<String, String> {
    if ["/usr/bin/bailiwick", "/usr/local/bin/bailiwick"].iter().any(|usual| program == Path::new(usual)) {
        return Ok(PROFILE.to_owned());
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._+-@ ".contains(letter);
    match program.to_str().filter(|text| text.starts_with('/') && text.chars().all(plain)) {
        Some(text) => Ok(PROFILE.replace(USUAL, &format!("\"{text}\""))),
        None => Err(format!("an AppArmor profile cannot name {}: install the program as /usr/local/bin/bailiwick", program.display())),
    }
}

#[cfg(test)]
mod tests;
