//! E-mail addresses: RFC 5321 lengths, RFC 6531 letters.

use crate::{Kind, finding::Sink, text::Text};

const LOCAL_CHARS_MAX: usize = 64;
const DOMAIN_CHARS_MAX: usize = 253;

/// Looks at the `@` at `at`.
pub(crate) fn detect(text: Text<'_>, at: usize, sink: &mut Sink) {
    let Some(start) = local(text, at) else { return };
    let Some(end) = domain(text, at + 1) else { return };
    if !is_service(text.slice(start, at), text.slice(at + 1, end)) {
        sink.push(start, end, Kind::Email);
    }
}

/// Where the local part starts.
fn local(text: Text<'_>, at: usize) -> Option<usize> {
    let head = text.as_str().get(..at)?;
    let mut start = at;
    for (place, character) in head.char_indices().rev().take(LOCAL_CHARS_MAX) {
        if !(character.is_ascii_alphanumeric()
            || "._+-%'&~=!#$*/^{}|".contains(character)
            || (!character.is_ascii() && character.is_alphanumeric()))
        {
            break;
        }
        start = place;
    }
    while matches!(
        text.at(start),
        b'.' | b'+' | b'-' | b'\'' | b'%' | b'&' | b'=' | b'!' | b'#' | b'$' | b'*' | b'/' | b'^' | b'{' | b'}' | b'|' | b'~'
    ) && start < at
    {
        start += 1;
    }
    // A key before the address (`user=a@b.de`, `/path/a@b.de`) and an escape (`\n`) are no part of it.
    let joined = text.slice(start, at);
    if let Some(cut) =
        joined.iter().rposition(|byte| matches!(byte, b'=' | b'/' | b'|' | b'{' | b'}' | b'&' | b'#' | b'!' | b'$' | b'*' | b'^'))
    {
        start += cut + 1;
    }
    if text.before(start, 1) == b'\\' && matches!(text.at(start), b'n' | b'r' | b't') && start + 1 < at {
        start += 1;
    }
    (start < at && text.before(at, 1) != b'.').then_some(start)
}

/// Where the domain ends: labels of letters, digits and dashes, and a last label of letters.
fn domain(text: Text<'_>, start: usize) -> Option<usize> {
    let tail = text.as_str().get(start..)?;
    let mut end = None;
    let (mut label_start, mut labels, mut letters_only) = (0, 0_usize, true);
    for (place, character) in tail.char_indices().chain(std::iter::once((tail.len(), '\0'))).take(DOMAIN_CHARS_MAX) {
        let letter = character.is_ascii_alphabetic() || (!character.is_ascii() && character.is_alphabetic());
        if letter || character.is_ascii_digit() || (character == '-' && place > label_start) {
            letters_only &= letter;
            continue;
        }
        if place == label_start {
            break;
        }
        labels += 1;
        let label = tail.get(label_start..place)?;
        if labels > 1 && ((letters_only && label.chars().nth(1).is_some()) || label.starts_with("xn--")) {
            end = Some(start + place);
        }
        if character != '.' {
            break;
        }
        (label_start, letters_only) = (place + 1, true);
    }
    end
}

/// Addresses of services and file names that belong to nobody: `git@host`, `noreply@…`, `icon@2x.png`.
fn is_service(local: &[u8], domain: &[u8]) -> bool {
    let services: [&[u8]; 5] = [b"git", b"hg", b"noreply", b"no-reply", b"donotreply"];
    let scale = domain.first().is_some_and(u8::is_ascii_digit) && domain.get(1) == Some(&b'x') && domain.get(2) == Some(&b'.');
    scale || services.iter().any(|service| local.eq_ignore_ascii_case(service))
}
